import { zstdDecompressSync } from 'node:zlib';
import { messageOf } from '../../../platform/errors.ts';
import type { Cataloger } from '../types.ts';
import { parseManifest } from './parse-manifest.ts';

const MANIFEST = 'var/lib/chisel/manifest.wall';
/** The folders above may be links, so the end of the path decides; composing looks from the root. */
const WANTED = /(?:^|\/)lib\/chisel\/manifest\.wall$/;
/** Without its compression; manifests of whole distributions have some megabytes. */
const LARGEST_TEXT = 64 * 1024 * 1024;

/** Packages of Ubuntu that Chisel cut slices from: such images have no database of dpkg. */
export const chiselCataloger: Cataloger = {
  name: 'chisel',
  role: 'database',
  places: { files: [MANIFEST], folders: [] },
  largest: 16 * 1024 * 1024,
  wants: (path) => path.endsWith('manifest.wall') && WANTED.test(path),
  catalog(_path, file) {
    const text = decompress(file.bytes());
    return 'problem' in text ? { problems: [text.problem] } : parseManifest(text.text);
  },
};

function decompress(bytes: Buffer): { readonly text: string } | { readonly problem: string } {
  try {
    return { text: zstdDecompressSync(bytes, { maxOutputLength: LARGEST_TEXT }).toString('utf8') };
  } catch (error) {
    if (error instanceof RangeError)
      return { problem: `it has more than ${LARGEST_TEXT} bytes without its compression` };
    return { problem: `it is no zstd file: ${messageOf(error)}` };
  }
}
