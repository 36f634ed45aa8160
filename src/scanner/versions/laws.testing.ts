import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { CompareVersions } from './types.ts';

/** Checks the laws of a total order on valid versions: defined, reflexive, antisymmetric, transitive. */
export function expectTotalOrder(compare: CompareVersions, version: fc.Arbitrary<string>): void {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(compare(a, a)).toBe(0);
      const [ab, ba, bc, ac] = [compare(a, b), compare(b, a), compare(b, c), compare(a, c)];
      if (ab === undefined || ba === undefined || bc === undefined || ac === undefined) {
        throw new Error(`not comparable: ${a}, ${b}, ${c}`);
      }
      expect(ab).toBe(ba === 0 ? 0 : -ba);
      if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
      if (ab === 0 && bc === 0) expect(ac).toBe(0);
    }),
    { numRuns: 2000 },
  );
}
