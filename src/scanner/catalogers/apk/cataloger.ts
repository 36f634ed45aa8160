import type { Cataloger } from '../types.ts';
import { parseInstalled } from './parse-installed.ts';

/** Alpine's package database, in its old place and where `/lib` is `/usr/lib`. */
const DATABASES = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'] as const;

/** The folders above may be links, so the end of the path decides; composing looks from the root. */
const DATABASE = /(?:^|\/)lib\/apk\/db\/installed$/;

export const apkCataloger: Cataloger = {
  name: 'apk',
  role: 'database',
  places: { files: DATABASES, folders: [] },
  largest: 64 * 1024 * 1024,
  wants: (path) => path.endsWith('installed') && DATABASE.test(path),
  catalog: (_path, file) => parseInstalled(file.bytes()),
};
