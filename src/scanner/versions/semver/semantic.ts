import { compareDigits } from '../digits.ts';
import type { Order } from '../types.ts';
import { compareIdentifiers } from './identifiers.ts';

/** The parts of a semantic version that count. */
export interface SemanticVersion {
  /** Major, minor, patch. */
  readonly numbers: readonly [string, string, string];
  /** Identifiers after the hyphen; empty when there are none. */
  readonly preRelease: readonly string[];
}

/** Order by major, minor and patch number. */
export function compareNumbers({ numbers: a }: SemanticVersion, { numbers: b }: SemanticVersion): Order {
  return compareDigits(a[0], b[0]) || compareDigits(a[1], b[1]) || compareDigits(a[2], b[2]);
}

/** Order by Semantic Versioning 2.0.0 §11: a version with a pre-release is older than the same one without. */
export function compareSemantic(a: SemanticVersion, b: SemanticVersion): Order {
  const order = compareNumbers(a, b);
  if (order !== 0) return order;
  if (a.preRelease.length === 0 || b.preRelease.length === 0) {
    return Math.sign(b.preRelease.length - a.preRelease.length) as Order;
  }
  return compareIdentifiers(a.preRelease, b.preRelease);
}
