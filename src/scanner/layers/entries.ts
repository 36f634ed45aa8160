import type { LayerEntry } from '../model.ts';

const END = '\0';
const MOST_PIECES = 10_000;

/** Collects entries in the text that `readEntries` reads. */
export interface EntryWriter {
  /** Neither the path nor the target of a link may hold a NUL. */
  add(entry: LayerEntry): void;
  readonly count: number;
  text(): string;
}

/**
 * Each entry is its kind, how many characters its path shares with the path before (base 36), a colon, the rest of the
 * path, and for links and evidence NUL and the third value; NUL ends it. Archives are sorted by folders, so this is a
 * fraction of the paths, and one string passes into JSON at once.
 */
export function createEntryWriter(): EntryWriter {
  // Joined now and then: a text that grows by millions of pieces is kept as a tree of them.
  const texts: string[] = [];
  let pieces: string[] = [];
  let previous = '';
  let count = 0;
  function join(): void {
    texts.push(pieces.join(''));
    pieces = [];
  }
  return {
    add(entry) {
      const [kind, path, value] = entry;
      const shared = sharedLength(previous, path);
      const rest = `${kind}${shared.toString(36)}:${path.slice(shared)}${END}`;
      pieces.push(value === undefined ? rest : `${rest}${value}${END}`);
      if (pieces.length >= MOST_PIECES) join();
      previous = path;
      count += 1;
    },
    get count() {
      return count;
    },
    text() {
      join();
      return texts.join('');
    },
  };
}

/** The entries of a layer in the order of its archive. */
export function* readEntries(text: string): Generator<LayerEntry> {
  let at = 0;
  let path = '';
  const field = (): string => {
    const end = text.indexOf(END, at);
    const value = text.slice(at, end);
    at = end + 1;
    return value;
  };
  while (at < text.length) {
    const kind = text[at];
    const colon = text.indexOf(':', at);
    const shared = Number.parseInt(text.slice(at + 1, colon), 36);
    at = colon + 1;
    path = path.slice(0, shared) + field();
    if (kind === 'l' || kind === 'h') yield [kind, path, field()];
    else if (kind === 'e') yield [kind, path, Number(field())];
    else yield [kind === 'd' ? 'd' : 'f', path];
  }
}

function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
