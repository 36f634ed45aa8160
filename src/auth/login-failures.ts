import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { createSeldom } from '../platform/seldom.ts';

/** Writes failed logins down when they are repeated. */
export interface LoginFailures {
  /**
   * One more failure in a row, the `count`th for this name from this address. `target` is the account; without it there is none of
   * that name, which is then not written down: people type passwords there.
   */
  note(failure: { readonly target?: string; readonly address: string; readonly count: number }): Promise<void>;
}

/** The first one written down; then each time there are twice as many. */
const FIRST = 5;
/** More would let strangers fill the ledger; how many were left out is said. */
const MOST_PER_HOUR = 300;

/** Lines are `login.failed`, with how often, from where, and how many other lines were left out before. */
export function createLoginFailures(deps: {
  readonly ledger: Pick<Ledger, 'record'>;
  readonly clock: Clock;
}): LoginFailures {
  const seldom = createSeldom({ clock: deps.clock, perHour: MOST_PER_HOUR });
  return {
    async note({ target, address, count }) {
      if (count < FIRST || !Number.isInteger(Math.log2(count / FIRST))) return;
      const leftOut = seldom.next();
      if (leftOut === undefined) return;
      await deps.ledger.record({
        actor: 'anonymous',
        action: 'login.failed',
        target: target ?? 'installation',
        details: { attempts: count, address, ...(leftOut > 0 ? { leftOut } : {}) },
      });
    },
  };
}
