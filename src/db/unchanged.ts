import type { Clock } from '../platform/clock.ts';

/** Tells states of the database apart: two equal answers mean that nothing was committed in between. */
export type DatabaseState = () => number | Promise<string>;

/**
 * The same, asked at most every `ms` where asking takes a query: what rests on it may be that much older than the database. Where it
 * takes none it is asked each time.
 */
export function askedSeldom(state: DatabaseState, clock: Clock, ms: number): DatabaseState {
  let known: Promise<string> | undefined;
  let askedAt = 0;
  return () => {
    const now = clock.now();
    if (known !== undefined && now >= askedAt && now - askedAt < ms) return known;
    const asked = state();
    if (typeof asked === 'number') return asked;
    [known, askedAt] = [asked, now];
    // A failure is told to those who wait for it, and not kept for others.
    asked.catch(() => {
      if (known === asked) known = undefined;
    });
    return asked;
  };
}

export interface UnchangedCache<Value> {
  /** The value kept under the key, computed anew when anything was committed since. Failures and undefined are not kept. */
  get(key: string, compute: () => Promise<Value | undefined>): Promise<Value | undefined>;
}

/**
 * Keeps answers that were read from the database for exactly as long as it stays as it is, so that what is asked ever again between
 * two changes costs one look at its state. `weigh` gives bytes; the oldest answers make room above `limit`.
 */
export function cacheWhileUnchanged<Value>(
  state: DatabaseState,
  { limit, weigh }: { readonly limit: number; readonly weigh: (value: Value) => number },
): UnchangedCache<Value> {
  let keptAt: number | string | undefined;
  let weight = 0;
  const kept = new Map<string, Value>();

  function forget(): void {
    kept.clear();
    weight = 0;
  }

  function keep(key: string, value: Value): void {
    const heavy = weigh(value);
    if (heavy > limit) return;
    const before = kept.get(key);
    if (before !== undefined) weight -= weigh(before);
    kept.set(key, value);
    weight += heavy;
    for (const [oldest, other] of kept) {
      if (weight <= limit) return;
      kept.delete(oldest);
      weight -= weigh(other);
    }
  }

  return {
    async get(key, compute) {
      const asked = state();
      const before = asked instanceof Promise ? await asked : asked;
      if (before !== keptAt) {
        forget();
        keptAt = before;
      }
      const found = kept.get(key);
      if (found !== undefined) return found;
      const value = await compute();
      if (value === undefined) return value;
      // Whatever was committed meanwhile may or may not be in the value. Answers may overtake each other, so somebody else may know of it first.
      const after = await state();
      if (after === before && keptAt === before) keep(key, value);
      return value;
    },
  };
}
