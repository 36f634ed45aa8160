import type { CompareVersions, Order } from './types.ts';

/** Longer texts are no versions in any scheme: it bounds the work that a hostile one can make, and no real one comes near. */
const MAX_LENGTH = 256;

/**
 * A version ordering made of a parser, which gives undefined for what is no version, and the order of what it gives.
 * Versions longer than 256 characters cannot be parsed.
 */
export function ordering<Parsed>(
  parse: (version: string) => Parsed | undefined,
  order: (a: Parsed, b: Parsed) => Order,
): CompareVersions {
  const read = (version: string) => (version.length > MAX_LENGTH ? undefined : parse(version));
  return (a, b) => {
    const left = read(a);
    if (left === undefined) return undefined;
    const right = a === b ? left : read(b);
    return right === undefined ? undefined : order(left, right);
  };
}
