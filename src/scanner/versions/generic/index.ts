import { compareText } from '../../../oci/canonical.ts';
import { compareDigits, startsWithDigit } from '../digits.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

const FORM = /^\d[\x20-\x7e]*$/;
const TOKEN = /(?<=\d)([ab])(?=\d)|\d+|[a-z]+/g;
const ZERO = /^0+$/;
const RANK = { preRelease: 0, end: 1, word: 2, number: 3 } as const;

/** Words of releases that come before the one they name. */
const PRE_RELEASES: ReadonlySet<string> = new Set(
  'alpha beta canary cr dev devel ea insiders milestone nightly next pre prerelease preview rc snapshot test'.split(
    ' ',
  ),
);

/**
 * Order of two versions of software whose scheme nobody wrote down, such as runtimes that were unpacked by hand: runs of digits
 * and of letters, whatever separates them and whatever their case. Pre-release words < the end < other words < numbers; zeros
 * before a word or the end do not count; what stands after a plus counts only where all before it is the same. `a` and `b` right between digits are alpha and beta (`3.13.0b2`, but not `1.1.1b`).
 * Takes everything in ASCII that begins with a digit, or `v` and a digit.
 */
export const compareGeneric = ordering(
  parse,
  (a, b) => compareLists(a.version, b.version, compareToken) || compareLists(a.build, b.build, compareToken),
);

interface Tokens {
  readonly version: readonly string[];
  /** After the plus. */
  readonly build: readonly string[];
}

function parse(text: string): Tokens | undefined {
  const version = text.trim().toLowerCase().replace(/^v/, '');
  if (!FORM.test(version)) return undefined;
  const plus = version.includes('+') ? version.indexOf('+') : version.length;
  return { version: tokensOf(version.slice(0, plus)), build: tokensOf(version.slice(plus)) };
}

function tokensOf(text: string): readonly string[] {
  return withoutIdleZeros(
    Array.from(text.matchAll(TOKEN), ([token, letter]) =>
      letter === undefined ? token : letter === 'a' ? 'alpha' : 'beta',
    ),
  );
}

/** Without the zeros that no other number follows before the next word or the end. */
function withoutIdleZeros(tokens: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let isBeforeNumber = false;
  for (const token of tokens.toReversed()) {
    if (!isBeforeNumber && ZERO.test(token)) continue;
    isBeforeNumber = startsWithDigit(token);
    kept.push(token);
  }
  return kept.reverse();
}

function compareToken(x: string | undefined, y: string | undefined): Order {
  const difference = rankOf(x) - rankOf(y);
  if (difference !== 0) return difference < 0 ? -1 : 1;
  if (x === undefined || y === undefined) return 0;
  return startsWithDigit(x) ? compareDigits(x, y) : compareText(x, y);
}

function rankOf(token: string | undefined): number {
  if (token === undefined) return RANK.end;
  if (startsWithDigit(token)) return RANK.number;
  return PRE_RELEASES.has(token) ? RANK.preRelease : RANK.word;
}
