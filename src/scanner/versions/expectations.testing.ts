import { expect } from 'vitest';
import type { CompareVersions } from './types.ts';

/** Checks that a list of versions goes from the oldest to the newest, by comparing each with each from both sides. */
export function expectAscending(compare: CompareVersions, versions: readonly string[]): void {
  for (const [i, a] of versions.entries()) {
    for (const [j, b] of versions.entries()) expect(compare(a, b), `${a} and ${b}`).toBe(Math.sign(i - j));
  }
}
