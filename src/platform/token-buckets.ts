import type { Clock } from './clock.ts';

/** Lets everybody do so many things a minute, and as many at once after a rest. */
export interface TokenBuckets {
  /** Takes one token of this key: 0 when there was one, else the milliseconds until there is. */
  take(key: string): number;
  /** Keys that are remembered. */
  readonly size: number;
}

const MINUTE_MS = 60_000;
const MOST_KEYS = 100_000;

/**
 * Makes a full bucket of `perMinute` tokens for every key, filled evenly. A key costs one number: the moment at which its bucket
 * would be full again (the generic cell rate algorithm). Full buckets need no memory; above `mostKeys` those used longest
 * ago are taken for full.
 */
export function createTokenBuckets(options: {
  readonly clock: Clock;
  readonly perMinute: number;
  readonly mostKeys?: number;
}): TokenBuckets {
  const { clock, perMinute, mostKeys = MOST_KEYS } = options;
  const interval = MINUTE_MS / perMinute;
  /** In the order of use. */
  const fullAt = new Map<string, number>();

  function makeRoom(now: number): void {
    for (const [key, at] of fullAt) {
      if (fullAt.size <= mostKeys && at > now) return;
      fullAt.delete(key);
    }
  }

  return {
    take(key) {
      const now = clock.now();
      const known = fullAt.get(key);
      // After a step back of the clock nobody waits longer than for a whole bucket.
      const before = known === undefined ? now : Math.min(Math.max(known, now), now + MINUTE_MS);
      const wait = before + interval - now - MINUTE_MS;
      // Rounding must not cost the last token.
      if (wait > 1e-6) return Math.ceil(wait);
      if (known !== undefined) fullAt.delete(key);
      fullAt.set(key, before + interval);
      if (fullAt.size > mostKeys) makeRoom(now);
      return 0;
    },
    get size() {
      return fullAt.size;
    },
  };
}
