import { isLanguagePackageFile } from '../language-files.ts';

/** Of the paths in `info/NAME.list`, one a line from the root, those that make language packages known. */
export function parseFileList(content: Buffer): string[] {
  // Most lists hold none: looking at the bytes first saves splitting them.
  if (!content.includes('/package.json')) return [];
  return content
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim().replace(/^\/+/, ''))
    .filter((path) => isLanguagePackageFile(path));
}
