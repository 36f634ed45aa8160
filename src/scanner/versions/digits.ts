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

/** True when the first character is a decimal digit; of runs of one kind, this tells digits from letters. */
export function startsWithDigit(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= 48 && code <= 57;
}
