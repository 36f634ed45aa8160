import type { Cataloger } from '../types.ts';
import { parseInstalled } from './parse-installed.ts';

/** What Composer has installed, packages for development too when they are there. */
export const phpCataloger: Cataloger = {
  name: 'php',
  role: 'language',
  largest: 32 * 1024 * 1024,
  wants: (path) => path === 'composer/installed.json' || path.endsWith('/composer/installed.json'),
  catalog: (_path, file) => parseInstalled(file.bytes()),
};
