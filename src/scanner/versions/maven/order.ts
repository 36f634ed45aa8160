import { compareText } from '../../../oci/canonical.ts';
import { compareDigits } from '../digits.ts';
import { compareLists, reverse } from '../lists.ts';
import type { Order } from '../types.ts';
import type { Item, ItemList } from './item.ts';

const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'] as const;
const RELEASE = QUALIFIERS.indexOf('');
const RELEASE_WORDS: ReadonlySet<string> = new Set(['', 'ga', 'final', 'release']);

/** Order of two items; a missing one is undefined and means the release itself: `1` = `1.0` = `1-ga`. */
export function compareItems(x: Item | undefined, y: Item | undefined): Order {
  if (x === undefined) return y === undefined ? 0 : reverse(compareToRelease(y));
  if (y === undefined) return compareToRelease(x);
  if (x.kind === 'number') return y.kind === 'number' ? compareDigits(x.digits, y.digits) : 1;
  if (y.kind === 'number') return -1;
  if (x.kind === 'list')
    return y.kind === 'list' ? compareLists(x.items, y.items, compareItems) : compareListToWord(x, y);
  if (y.kind === 'list') return reverse(compareListToWord(y, x));
  return compareWords(x.word, y.word) || compareSuffixes(x, y);
}

function compareToRelease(item: Item): Order {
  switch (item.kind) {
    case 'number':
      return compareDigits(item.digits, '0');
    case 'word':
      return compareWords(item.word, '');
    case 'pair':
      return compareWords(item.word, '') || compareDigits(item.digits, '0');
    default:
      return compareLists(item.items, [], compareItems);
  }
}

function compareListToWord({ items }: ItemList, word: Item): Order {
  return compareLists(items, [word], compareItems);
}

/** `rc` < `rc0` < `rc1`, but `ga` = `ga0` < `ga1`. */
function compareSuffixes(x: Exclude<Item, ItemList>, y: Exclude<Item, ItemList>): Order {
  if (x.kind === 'word' && y.kind === 'word') return 0;
  if (x.kind === 'word') return compareWords(x.word, '') === 0 ? reverse(compareToRelease(y)) : -1;
  if (y.kind === 'word') return compareWords(y.word, '') === 0 ? compareToRelease(x) : 1;
  return compareDigits(x.digits, y.digits);
}

/** The known qualifiers in their order, the unknown ones after them by ASCII order. */
function compareWords(a: string, b: string): Order {
  const [rankA, rankB] = [rankOf(a), rankOf(b)];
  if (rankA !== rankB) return rankA < rankB ? -1 : 1;
  return rankA === QUALIFIERS.length ? compareText(a, b) : 0;
}

function rankOf(word: string): number {
  if (RELEASE_WORDS.has(word)) return RELEASE;
  const rank = QUALIFIERS.findIndex((qualifier) => qualifier === word);
  return rank < 0 ? QUALIFIERS.length : rank;
}
