import type { Clock } from './clock.ts';
import { createTokenBuckets } from './token-buckets.ts';

/** Lets something happen so many times an hour at most, and counts what it held back. */
export interface Seldom {
  /** Gives how many were held back since the last one that was let through; undefined when this one is held back too. */
  next(): number | undefined;
}

const HOUR_MINUTES = 60;

/** At most `perHour` in an hour, `perHour` / 60 of them at once after a rest, but at least one. */
export function createSeldom({ clock, perHour }: { readonly clock: Clock; readonly perHour: number }): Seldom {
  const buckets = createTokenBuckets({ clock, perMinute: Math.max(1, perHour / HOUR_MINUTES) });
  let heldBack = 0;
  return {
    next() {
      if (buckets.take('') > 0) {
        heldBack += 1;
        return undefined;
      }
      const before = heldBack;
      heldBack = 0;
      return before;
    },
  };
}
