import { createRandom as createNumbers } from '../../dev/fuzz/random.ts';

/** Choices that are the same for the same seed. */
export interface Random {
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(of: number): boolean;
  /** As `chance`, for what is wrong on purpose: never in calm times. */
  odd(of: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  /** Up to `most` of the values, each at most once. */
  some<Value>(values: readonly Value[], most: number): Value[];
}

/** `calm`: how likely it is that nothing at all is wrong on purpose. */
export function createRandom(seed: number, calm = 0.5): Random {
  const numbers = createNumbers(seed, 0);
  const between = (low: number, high: number) => low + numbers.under(high - low + 1);
  const isCalm = numbers.chance(calm);
  return {
    between,
    chance: (of) => numbers.chance(of),
    odd: (of) => numbers.chance(of) && !isCalm,
    // Unlike the fuzzer's, these values may be undefined.
    pick: <Value>(values: readonly Value[]) => values[between(0, values.length - 1)] as Value,
    some<Value>(values: readonly Value[], most: number): Value[] {
      const left = [...values];
      const count = Math.min(between(0, most), left.length);
      return Array.from({ length: count }, () => left.splice(between(0, left.length - 1), 1)).flat();
    },
  };
}
