import { compareText } from '../../../oci/canonical.ts';
import { compareDigits } from '../digits.ts';
import { compareLists } from '../lists.ts';
import type { Order } from '../types.ts';

const DIGITS = /^\d+$/;

/** Order of two lists of dot-separated identifiers by Semantic Versioning 2.0.0 §11.4: of equal ones the longer is newer. */
export function compareIdentifiers(a: readonly string[], b: readonly string[]): Order {
  return compareLists(a, b, compareIdentifier);
}

/** Numbers by value and before words; words by ASCII order. */
function compareIdentifier(x: string | undefined, y: string | undefined): Order {
  if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
  const [numberX, numberY] = [DIGITS.test(x), DIGITS.test(y)];
  if (numberX && numberY) return compareDigits(x, y);
  if (numberX !== numberY) return numberX ? -1 : 1;
  return compareText(x, y);
}
