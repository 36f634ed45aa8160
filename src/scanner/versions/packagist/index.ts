import { compareDigits, startsWithDigit } from '../digits.ts';
import { compareLists } from '../lists.ts';
import { ordering } from '../ordering.ts';
import type { Order } from '../types.ts';
import { normalizeComposer } from './normalize.ts';

const WORDS: readonly string[] = ['stable', 'dev', 'alpha', 'beta', 'rc', 'end', 'number', 'patch'];

/**
 * Order of two Composer versions as `Composer\Semver\Comparator` has it: normal forms under PHP's `version_compare`,
 * dev < alpha < beta < RC < release < patch. undefined for branches by name and for everything that Composer refuses.
 */
export const comparePackagist = ordering(normalizeComposer, (a, b) => compareLists(a, b, compareToken));

function compareToken(x: string | undefined, y: string | undefined): Order {
  const difference = rankOf(x) - rankOf(y);
  if (difference !== 0) return difference < 0 ? -1 : 1;
  return x !== undefined && y !== undefined && startsWithDigit(x) ? compareDigits(x, y) : 0;
}

function rankOf(token: string | undefined): number {
  return WORDS.indexOf(token === undefined ? 'end' : startsWithDigit(token) ? 'number' : token);
}
