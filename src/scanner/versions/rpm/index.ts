import { compareText } from '../../../oci/canonical.ts';
import { compareDigits, startsWithDigit } from '../digits.ts';
import { type Evr, parseEvr } from '../evr.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

const PRINTABLE = /^[^\s\p{Cc}]+$/u;
const SEGMENT = /\d+|[A-Za-z]+|[~^]/g;

/**
 * Order of two rpm versions `[epoch:]version[-release]` as rpm's `rpmverCmp` (labelCompare) has it, with `rpmvercmp` for each
 * part. A missing epoch is 0. A missing release is older than any: the order of labels, which is total, and not that of
 * dependencies, where a missing release meets every one. undefined for an empty text or one with white space or controls.
 */
export const compareRpm = ordering(parse, compareEvr);

function parse(text: string): Evr | undefined {
  return PRINTABLE.test(text) ? parseEvr(text) : undefined;
}

function compareEvr(a: Evr, b: Evr): Order {
  return (
    compareDigits(a.epoch, b.epoch) || compareFragment(a.version, b.version) || compareRelease(a.release, b.release)
  );
}

function compareRelease(a: string | undefined, b: string | undefined): Order {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return compareFragment(a, b);
}

/** `rpmvercmp`: runs of digits and of letters; what separates them does not count, so that `1.0` = `1_0`. */
function compareFragment(a: string, b: string): Order {
  return compareLists(a.match(SEGMENT) ?? [], b.match(SEGMENT) ?? [], compareSegment);
}

/** `~` < the end < `^` < letters < digits. */
function compareSegment(x: string | undefined, y: string | undefined): Order {
  const [rankX, rankY] = [rankOf(x), rankOf(y)];
  if (rankX !== rankY) return rankX < rankY ? -1 : 1;
  if (x === undefined || y === undefined) return 0;
  return rankX === RANK.digits ? compareDigits(x, y) : compareText(x, y);
}

const RANK = { tilde: 0, end: 1, caret: 2, letters: 3, digits: 4 } as const;

function rankOf(segment: string | undefined): number {
  if (segment === undefined) return RANK.end;
  if (segment === '~') return RANK.tilde;
  if (segment === '^') return RANK.caret;
  return startsWithDigit(segment) ? RANK.digits : RANK.letters;
}
