import type { Cataloger } from '../types.ts';
import { JAVA_ARCHIVE, readArchive } from './archive.ts';

/** Java archives that are installed, with those inside them. */
export const javaCataloger: Cataloger = {
  name: 'java',
  role: 'language',
  largest: 2 * 1024 ** 3,
  wants: (path) => JAVA_ARCHIVE.test(path),
  // An empty file is a placeholder, no damaged archive.
  catalog: (path, file) =>
    file.size === 0 ? { packages: [] } : readArchive(path.slice(path.lastIndexOf('/') + 1), file),
};
