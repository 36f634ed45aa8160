import { expect, it } from 'vitest';
import { retryDelay } from './backoff.ts';

function delays(random: number): number[] {
  return [1, 2, 3, 10, 11, 50, 1e9].map((attempts) => retryDelay(attempts, () => random));
}

it('doubles up to ten minutes, at least half of it', () => {
  expect(delays(0)).toEqual([500, 1000, 2000, 256_000, 300_000, 300_000, 300_000]);
  expect(delays(0.999_999)).toEqual([1000, 2000, 4000, 512_000, 600_000, 600_000, 600_000]);
});
