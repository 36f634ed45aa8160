import type { Clock } from '../platform/clock.ts';
import { createBoundedMap } from './bounded-map.ts';

const FREE_ATTEMPTS = 5;
const LONGEST_WAIT_MS = 60_000;
const FORGOTTEN_MS = 900_000;
const REMEMBERED = 10_000;

interface Attempts {
  count: number;
  last: number;
}

/** Slows down guessing: per name and address, in bounded memory. */
export interface LoginThrottle {
  /**
   * Counts an attempt before it is made, so that guesses sent at once count too. Gives 0 when it may go ahead, else the
   * seconds to wait; a refused attempt does not count.
   */
  begin(name: string, address: string): number;
  /** Attempts in a row that were not right. */
  failures(name: string, address: string): number;
  /** The attempt was right: forgets the wrong ones before it. */
  succeeded(name: string, address: string): void;
}

/** Five attempts are free; after each further one the wait doubles from one second to a minute. */
export function createLoginThrottle(deps: { readonly clock: Clock }): LoginThrottle {
  const attempts = createBoundedMap<Attempts>(REMEMBERED);
  return {
    begin(name, address) {
      const now = deps.clock.now();
      const key = keyOf(name, address);
      const known = attempts.get(key);
      if (known === undefined || now - known.last > FORGOTTEN_MS) {
        attempts.set(key, { count: 1, last: now });
        return 0;
      }
      const wait = known.count < FREE_ATTEMPTS ? 0 : 1000 * 2 ** Math.min(known.count - FREE_ATTEMPTS, 10);
      const left = known.last + Math.min(wait, LONGEST_WAIT_MS) - now;
      if (wait > 0 && left > 0) return Math.ceil(left / 1000);
      known.count += 1;
      known.last = now;
      return 0;
    },
    failures: (name, address) => attempts.get(keyOf(name, address))?.count ?? 0,
    succeeded: (name, address) => attempts.delete(keyOf(name, address)),
  };
}

function keyOf(name: string, address: string): string {
  return `${address}\0${name}`.slice(0, 512);
}
