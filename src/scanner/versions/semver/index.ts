import { compareText } from '../../../oci/canonical.ts';
import { compareDigits } from '../digits.ts';
import type { Order } from '../types.ts';

interface SemanticVersion {
  readonly numbers: readonly [string, string, string];
  readonly preRelease: readonly string[];
}

const IDENTIFIERS = String.raw`[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`;
const FORM = new RegExp(
  String.raw`^[v=\s]*(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(${IDENTIFIERS})|((?=[A-Za-z])${IDENTIFIERS}))?(?:\+${IDENTIFIERS})?\s*$`,
);
const DIGITS = /^\d+$/;

/**
 * Order of two versions by Semantic Versioning 2.0.0 §11. Takes what npm's loose mode takes too: a leading `v` or `=`,
 * a pre-release without its hyphen; and a missing minor or patch number as zero. Build metadata does not count.
 * undefined when one of them is not such a version. Node's rule that ranges exclude pre-releases is not applied.
 */
export function compareSemver(a: string, b: string): Order | undefined {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return undefined;
  for (const i of [0, 1, 2] as const) {
    const order = compareDigits(left.numbers[i], right.numbers[i]);
    if (order !== 0) return order;
  }
  return comparePreRelease(left.preRelease, right.preRelease);
}

function parse(version: string): SemanticVersion | undefined {
  const match = version.length > 256 ? null : FORM.exec(version);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', strict, loose] = match;
  const preRelease = strict ?? loose;
  return { numbers: [major, minor, patch], preRelease: preRelease === undefined ? [] : preRelease.split('.') };
}

/** A version with a pre-release is older than the same one without. */
function comparePreRelease(a: readonly string[], b: readonly string[]): Order {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length) as Order;
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const order = compareIdentifier(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length) as Order;
}

/** Numbers by value and before words; words by ASCII order. */
function compareIdentifier(a: string, b: string): Order {
  const [numberA, numberB] = [DIGITS.test(a), DIGITS.test(b)];
  if (numberA && numberB) return compareDigits(a, b);
  if (numberA !== numberB) return numberA ? -1 : 1;
  return compareText(a, b);
}
