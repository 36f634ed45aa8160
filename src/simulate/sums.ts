import { compareText } from '../oci/canonical.ts';
import type { Sum } from './outcome.ts';

/** Counts what becomes blocked or allowed, by name. */
export interface Sums {
  add(names: Iterable<string>, what: 'blocked' | 'allowed'): void;
  /** Most blocked first. */
  list(): readonly Sum[];
}

export function createSums(): Sums {
  const sums = new Map<string, { name: string; blocked: number; allowed: number }>();
  return {
    add(names, what) {
      for (const name of new Set(names)) {
        const sum = sums.get(name) ?? { name, blocked: 0, allowed: 0 };
        sum[what] += 1;
        sums.set(name, sum);
      }
    },
    list: () =>
      [...sums.values()].sort((a, b) => b.blocked - a.blocked || b.allowed - a.allowed || compareText(a.name, b.name)),
  };
}
