import type { Cataloger } from '../types.ts';
import { parseFileList } from './parse-file-list.ts';
import { parseStatus } from './parse-status.ts';

const STATUS_FILE = 'var/lib/dpkg/status';
/** Images without apt (distroless): one file for each package, with `NAME.md5sums` beside it. */
const FRAGMENTS = 'var/lib/dpkg/status.d';
/** What packages own, `NAME.list`. */
const FILE_LISTS = 'var/lib/dpkg/info';

/** The folders above may be links, so the end of the path decides; composing looks from the root. */
const DATABASE = /(?:^|\/)lib\/dpkg\/status$/;
const FRAGMENT = /(?:^|\/)lib\/dpkg\/status\.d\/[^/]+$/;
const FILE_LIST = /(?:^|\/)lib\/dpkg\/info\/[^/]+\.list$/;

/** The same for fragments. */
const CHECKSUMS = /(?:^|\/)lib\/dpkg\/status\.d\/[^/]+\.md5sums$/;

/** The package whose files a list names: `info/NAME.list`, `info/NAME:ARCHITECTURE.list`, `status.d/NAME.md5sums`. */
export function listedPackage(path: string): string | undefined {
  return isFileList(path) ? /([^/:]+)(?::[^/]*)?\.(?:list|md5sums)$/.exec(path)?.[1] : undefined;
}

function isFileList(path: string): boolean {
  return FILE_LIST.test(path) || CHECKSUMS.test(path);
}

/** Debian's package database, whole or in fragments, and what its packages own. */
export const dpkgCataloger: Cataloger = {
  name: 'dpkg',
  role: 'database',
  places: { files: [STATUS_FILE], folders: [FRAGMENTS, FILE_LISTS] },
  largest: 64 * 1024 * 1024,
  wants: (path) => path.includes('lib/dpkg/') && (DATABASE.test(path) || FILE_LIST.test(path) || FRAGMENT.test(path)),
  catalog(path, file) {
    const content = file.bytes();
    if (isFileList(path)) return { owned: parseFileList(content) };
    return parseStatus(content, { fragment: FRAGMENT.test(path) });
  },
};
