import { isLanguagePackageFile } from '../language-files.ts';

/** Before a path in a checksum file: the sum and two blanks. */
const CHECKSUM = /^[0-9a-f]{32} [ *]/;
const ROOT = /^(?:\.?\/)+/;

/**
 * Of the paths in `info/NAME.list`, one a line from the root, or in `status.d/NAME.md5sums`, one a line after its sum, those
 * that make language packages known. opkg writes the mode and where links lead behind a tab.
 */
export function parseFileList(content: Buffer): string[] {
  return content
    .toString('utf8')
    .split('\n')
    .map(pathOf)
    .filter((path) => isLanguagePackageFile(path));
}

function pathOf(line: string): string {
  const [path = ''] = line.trim().split('\t', 1);
  return path.replace(CHECKSUM, '').replace(ROOT, '');
}
