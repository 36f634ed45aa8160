import { compareText } from '../../../oci/canonical.ts';
import { compareDigits, startsWithDigit } from '../digits.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

const FORM = /^\s*\d+(?:\.[0-9a-z]+)*(?:-[0-9a-z-]+(?:\.[0-9a-z-]+)*)?\s*$/i;
const SEGMENT = /\d+|[a-z]+/gi;
const ZERO = /^0+$/;

/**
 * Order of two gem versions as `Gem::Version` of RubyGems has it: words make a pre-release, a hyphen means `.pre.`, zeros
 * before a word or the end do not count. undefined for what `Gem::Version` refuses, and for an empty text.
 * A platform (`-x86_64-linux`) is no part of a version and must be gone before.
 */
export const compareRubyGems = ordering(parse, (a, b) => compareLists(a, b, compareSegment));

function parse(text: string): readonly string[] | undefined {
  if (!FORM.test(text)) return undefined;
  const segments = text.replaceAll('-', '.pre.').match(SEGMENT) ?? [];
  const word = segments.findIndex(isWord);
  const numbers = word < 0 ? segments : segments.slice(0, word);
  return [...withoutTrailingZeros(numbers), ...withoutTrailingZeros(segments.slice(numbers.length))];
}

function withoutTrailingZeros(segments: readonly string[]): readonly string[] {
  return segments.slice(0, segments.findLastIndex((segment) => !ZERO.test(segment)) + 1);
}

/** Words < numbers; a missing segment is the number zero. */
function compareSegment(x = '0', y = '0'): Order {
  if (isWord(x) !== isWord(y)) return isWord(x) ? -1 : 1;
  return isWord(x) ? compareText(x, y) : compareDigits(x, y);
}

function isWord(segment: string): boolean {
  return !startsWithDigit(segment);
}
