import type { FileView } from '../../file-view.ts';
import { openZip } from '../../zip/open-zip.ts';
import type { Cataloger } from '../types.ts';
import { type PythonPackage, parseMetadata } from './parse-metadata.ts';

/** What installers write (PEP 376, PEP 427), and setuptools before them: a folder, a single file, or inside an egg. */
const METADATA = /\.dist-info\/METADATA$|\.egg-info(?:\/PKG-INFO)?$|(?:^|\/)EGG-INFO\/PKG-INFO$/;
const EGG = /[^/]\.egg$/;
const IN_EGG = 'EGG-INFO/PKG-INFO';
const LARGEST_METADATA = 8 * 1024 * 1024;
const LARGEST_EGG = 512 * 1024 * 1024;
const MOST_ENTRIES = 100_000;

/** Installed Python projects. */
export const pythonCataloger: Cataloger = {
  name: 'python',
  role: 'language',
  largest: LARGEST_EGG,
  wants: (path) => METADATA.test(path) || EGG.test(path),
  catalog(path, file) {
    if (EGG.test(path)) return parseEgg(file);
    if (file.size > LARGEST_METADATA) return { packages: [], problems: ['it is longer than is read'] };
    return parseMetadata(file.bytes());
  },
};

/** A zipped egg is installed as it is. */
function parseEgg(file: FileView): PythonPackage {
  const archive = openZip(file, { entries: MOST_ENTRIES, bytes: LARGEST_METADATA });
  for (const entry of archive.entries) {
    if (entry.name !== IN_EGG) continue;
    const content = entry.read(LARGEST_METADATA);
    if (content) return parseMetadata(content);
  }
  return { packages: [], problems: [archive.problems[0] ?? `it has no ${IN_EGG} that can be read`] };
}
