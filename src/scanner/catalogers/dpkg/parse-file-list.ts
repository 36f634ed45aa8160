import { isLanguagePackageFile } from '../language-files.ts';

/** After a path: opkg writes the mode and where links lead. */
const MORE = /\t.*$/;
/** Of a checksum file: the sum, two blanks, the path. */
const CHECKSUM = /^[0-9a-f]{32} [ *]/;

/**
 * Of the paths in `info/NAME.list`, one a line from the root, or in `status.d/NAME.md5sums`, one a line after its sum, those
 * that make language packages known.
 */
export function parseFileList(content: Buffer): string[] {
  return content
    .toString('utf8')
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(CHECKSUM, '')
        .replace(/^(?:\.?\/)+/, ''),
    )
    .filter((path) => isLanguagePackageFile(path));
}
