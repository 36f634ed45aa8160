import type { Item, ItemList } from './item.ts';

const PRINTABLE = /^[\x21-\x7e]+$/;
/** A word takes the number right after it, also over one hyphen: `rc1` and `rc-1` are the same. */
const TOKEN = /([^0-9.-]+)(?:-?([0-9]+))?|([0-9]+)|([.-])/g;
const ZERO: Item = { kind: 'number', digits: '0' };
const NONZERO = /[1-9]/;
const ALIASES: ReadonlyMap<string, string> = new Map([['cr', 'rc']]);
/** Single letters that stand for a qualifier when a number follows. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
]);

/**
 * Takes a version apart as Maven's ComparableVersion does: a hyphen, and a change between digits and other characters, begin a
 * list within the list; zeros before a word or an end do not count. undefined for an empty text and for other than visible ASCII.
 */
export function parseMaven(text: string): ItemList | undefined {
  if (!PRINTABLE.test(text)) return undefined;
  return levelsOf(text.toLowerCase()).reduceRight<ItemList | undefined>(
    (inner, level) => ({ kind: 'list', items: normalized(inner === undefined ? level : [...level, inner]) }),
    undefined,
  );
}

/** The items of the list, of the list at its end, of the list at the end of that, and so on. */
function levelsOf(text: string): readonly (readonly Item[])[] {
  const levels: Item[][] = [[]];
  const add = (item: Item) => levels.at(-1)?.push(item);
  const begin = (evenIfEmpty: boolean) => {
    if (evenIfEmpty || levels.at(-1)?.length !== 0) levels.push([]);
  };
  let afterSeparator = true;
  for (const { 0: token, 1: word, 2: suffix, 3: digits, index } of text.matchAll(TOKEN)) {
    const isLast = index + token.length === text.length;
    if (word !== undefined) {
      if (!afterSeparator || suffix !== undefined || isLast) begin(false);
      add(wordItem(word, suffix));
    } else if (digits !== undefined) {
      add({ kind: 'number', digits });
    } else {
      if (afterSeparator) add(ZERO);
      if (token === '-') begin(true);
    }
    afterSeparator = word === undefined && digits === undefined;
  }
  return levels;
}

function wordItem(written: string, digits: string | undefined): Item {
  const word = ALIASES.get(written) ?? written;
  return digits === undefined ? { kind: 'word', word } : { kind: 'pair', word: LETTERS.get(word) ?? word, digits };
}

/** Without the zeros and empty lists that stand before a word or the end. A list in a list alone is that list. */
function normalized(items: readonly Item[]): readonly Item[] {
  const kept: Item[] = [];
  for (const item of items.toReversed()) if (!isNothing(item) || !endsNumbers(kept.at(-1))) kept.push(item);
  const [only] = kept;
  return kept.length === 1 && only?.kind === 'list' ? only.items : kept.reverse();
}

function isNothing(item: Item): boolean {
  return (item.kind === 'number' && !NONZERO.test(item.digits)) || (item.kind === 'list' && item.items.length === 0);
}

function endsNumbers(next: Item | undefined): boolean {
  if (next?.kind !== 'list') return next === undefined || next.kind === 'word';
  const [first] = next.items;
  return first?.kind === 'word' || first?.kind === 'pair';
}
