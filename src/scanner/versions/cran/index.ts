import { compareDigits } from '../digits.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';

const FORM = /^\d+(?:[.-]\d+)*$/;

/**
 * Order of two versions of R packages as R's `compareVersion` and `package_version` have it: numbers between `.` or `-`,
 * which mean the same; of two that agree so far the longer one is newer, `1.0` < `1.0.0`. undefined for anything else.
 */
export const compareCran = ordering(parse, (a, b) => compareLists(a, b, compareNumber));

function parse(text: string): readonly string[] | undefined {
  return FORM.test(text) ? text.split(/[.-]/) : undefined;
}

function compareNumber(x: string | undefined, y: string | undefined): Order {
  if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
  return compareDigits(x, y);
}
