import type { FileView } from '../../file-view.ts';

/** A range of bytes of a file. */
export interface Stretch {
  readonly at: number;
  readonly size: number;
}

const PIECE = 1024 * 1024;
/** Longer than any text that is looked for, so that none is cut by a border. */
const OVERLAP = 512;
const MOST_SEARCHED = 128 * 1024 * 1024;
const MOST_FOUND = 16;

/** What the first group of a pattern matches in these parts of a file, each once, in order. Reads piece by piece. */
export function searchTexts(file: FileView, stretches: readonly Stretch[], pattern: RegExp): readonly string[] {
  const found = new Set<string>();
  let left = MOST_SEARCHED;
  for (const { at, size } of stretches) {
    for (let from = 0; from < size && left > 0 && found.size < MOST_FOUND; from += PIECE) {
      const piece = file.read(at + from, Math.min(PIECE + OVERLAP, size - from));
      if (piece.length === 0) break;
      left -= piece.length;
      for (const match of piece.toString('latin1').matchAll(pattern)) {
        if (match[1] !== undefined) found.add(match[1]);
        if (found.size >= MOST_FOUND) break;
      }
    }
  }
  return [...found];
}
