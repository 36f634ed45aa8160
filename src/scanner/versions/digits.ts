import { compareText } from '../../oci/canonical.ts';
import type { Order } from './types.ts';

/** Order of two runs of decimal digits of any length, as numbers; leading zeros do not count. */
export function compareDigits(a: string, b: string): Order {
  const left = stripZeros(a);
  const right = stripZeros(b);
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  return compareText(left, right);
}

function stripZeros(digits: string): string {
  let start = 0;
  while (start < digits.length && digits.charCodeAt(start) === 48) start += 1;
  return start === 0 ? digits : digits.slice(start);
}
