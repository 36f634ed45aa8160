import { compareText } from '../../../oci/canonical.ts';
import { compareDigits } from '../digits.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

interface NuGetVersion {
  /** One to four. */
  readonly numbers: readonly string[];
  /** In lower case; empty for a release. */
  readonly labels: readonly string[];
}

const IDENTIFIERS = '[0-9a-z-]+(?:\\.[0-9a-z-]+)*';
const FORM = new RegExp(`^\\s*(\\d+(?:\\.\\d+){0,3})(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?\\s*$`);
const LEADING_ZERO = /^0\d+$/;
const INTEGER = /^-?\d+$/;
const MAX_INTEGER = 2147483647;

/**
 * Order of two NuGet versions as `NuGetVersion` has it: one to four numbers, the missing ones zero; pre-release labels as in
 * Semantic Versioning but whatever their case; metadata does not count. undefined for anything
 * else, for numbers over 2³¹-1 and for labels of digits with a leading zero.
 */
export const compareNuGet = ordering(parse, compare);

function parse(text: string): NuGetVersion | undefined {
  const [, numbers, labels] = FORM.exec(text.toLowerCase()) ?? [];
  if (numbers === undefined) return undefined;
  const version = { numbers: numbers.split('.'), labels: labels?.split('.') ?? [] };
  const isOutOfBounds = version.numbers.some((number) => Number(number) > MAX_INTEGER);
  return isOutOfBounds || version.labels.some((label) => LEADING_ZERO.test(label)) ? undefined : version;
}

function compare(a: NuGetVersion, b: NuGetVersion): Order {
  const order = compareLists(a.numbers, b.numbers, (x = '0', y = '0') => compareDigits(x, y));
  if (order !== 0) return order;
  if (a.labels.length === 0 || b.labels.length === 0) return Math.sign(b.labels.length - a.labels.length) as Order;
  return compareLists(a.labels, b.labels, compareLabel);
}

/** The end < integers of 32 bits, which may be negative here < words and longer numbers. */
function compareLabel(x: string | undefined, y: string | undefined): Order {
  if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
  const [integerX, integerY] = [integerOf(x), integerOf(y)];
  if (integerX === undefined || integerY === undefined) {
    if (integerX !== integerY) return integerX === undefined ? 1 : -1;
    return compareText(x, y);
  }
  return Math.sign(integerX - integerY) as Order;
}

function integerOf(label: string): number | undefined {
  if (!INTEGER.test(label)) return undefined;
  const value = Number(label);
  return value > MAX_INTEGER || value < -MAX_INTEGER - 1 ? undefined : value;
}
