import { isLanguagePackageFile } from '../language-files.ts';
import type { Cataloger } from '../types.ts';
import { parseDesc, sectionsOf } from './parse-desc.ts';

/** pacman's database: a folder for each package, with `desc` and the list of its `files`. */
const FOLDER = 'var/lib/pacman/local';

/** The folders above may be links, so the end of the path decides; composing looks from the root. */
const WANTED = /(?:^|\/)lib\/pacman\/local\/[^/]+\/(desc|files)$/;

/** Packages of Arch Linux and its relatives. */
export const alpmCataloger: Cataloger = {
  name: 'alpm',
  role: 'database',
  places: { files: [], folders: [FOLDER] },
  largest: 64 * 1024 * 1024,
  wants: (path) => path.includes('lib/pacman/local/') && WANTED.test(path),
  catalog(path, file) {
    const content = file.bytes();
    if (path.endsWith('/files'))
      return { owned: (sectionsOf(content).get('FILES') ?? []).filter((owned) => isLanguagePackageFile(owned)) };
    const parsed = parseDesc(content);
    return typeof parsed === 'string' ? { problems: [parsed] } : { packages: [parsed] };
  },
};
