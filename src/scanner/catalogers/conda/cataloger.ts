import type { Cataloger } from '../types.ts';
import { parseCondaMeta } from './parse-conda-meta.ts';

const FILE = /(?:^|\/)conda-meta\/[^/]+\.json$/;

/** What conda, mamba or pixi have installed into an environment. */
export const condaCataloger: Cataloger = {
  name: 'conda',
  role: 'language',
  largest: 32 * 1024 * 1024,
  wants: (path) => path.endsWith('.json') && FILE.test(path),
  catalog: (_path, file) => parseCondaMeta(file.bytes()),
};
