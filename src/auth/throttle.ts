import type { Clock } from '../platform/clock.ts';
import { AuthError } from './errors.ts';

const FREE_TRIES = 10;
const WINDOW_MS = 60_000;
const MOST_TRACKED = 10_000;

/** Slows down guessing: after ten wrong passwords for a name from an address, none is tried for the rest of the minute. */
export interface Throttle {
  /** Throws `AuthError('throttled')` when this pair has to wait. */
  check(key: string): void;
  failed(key: string): void;
}

export function createThrottle(clock: Clock): Throttle {
  const failures = new Map<string, { count: number; until: number }>();
  return {
    check(key) {
      const known = failures.get(key);
      if (!known || known.until <= clock.now() || known.count < FREE_TRIES) return;
      const seconds = Math.ceil((known.until - clock.now()) / 1000);
      throw new AuthError('throttled', `too many wrong passwords; try again in ${seconds} s`);
    },
    failed(key) {
      const known = failures.get(key);
      if (known && known.until > clock.now()) known.count += 1;
      else {
        if (failures.size >= MOST_TRACKED) failures.clear();
        failures.set(key, { count: 1, until: clock.now() + WINDOW_MS });
      }
    },
  };
}
