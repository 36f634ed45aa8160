import { Counter, type Registry } from 'prom-client';
import { createBoundedMap } from '../auth/bounded-map.ts';
import { createRateLimits, type LimitSettings, type RateLimits, type Refused } from '../auth/rate-limits.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { createSeldom } from '../platform/seldom.ts';

/** Who goes on asking is written down again after this. */
const QUIET_MS = 3_600_000;
const MOST_PER_HOUR = 300;
const REMEMBERED = 10_000;

/** The limits of this process. Refusals are counted; the first of each account or network in an hour is in the ledger. */
export function createLimits(deps: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ledger: Pick<Ledger, 'record'>;
  readonly metrics: Registry;
  readonly settings: LimitSettings;
}): RateLimits {
  const { clock, logger, ledger } = deps;
  const refusals = new Counter({
    name: 'breakwater_requests_limited_total',
    help: 'Requests refused because their account or network asked too much',
    labelNames: ['budget', 'who'] as const,
    registers: [deps.metrics],
  });
  const writtenAt = createBoundedMap<number>(REMEMBERED);
  const seldom = createSeldom({ clock, perHour: MOST_PER_HOUR });

  function writeDown({ budget, message }: Refused, name: string, network: string): void {
    const key = `${budget} ${name} ${network}`;
    const now = clock.now();
    if (now - (writtenAt.get(key) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    const leftOut = seldom.next();
    if (leftOut === undefined) return;
    writtenAt.set(key, now);
    const details = { budget, message, ...(network === '' ? {} : { network }), ...(leftOut > 0 ? { leftOut } : {}) };
    ledger
      .record({ actor: name === '' ? 'anonymous' : name, action: 'limit.reached', target: 'installation', details })
      .catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'a reached limit could not be recorded'));
  }

  return createRateLimits(
    {
      clock,
      onRefused(refused, name, network) {
        refusals.inc({ budget: refused.budget, who: name === '' ? 'anonymous' : 'account' });
        writeDown(refused, name, network);
      },
    },
    deps.settings,
  );
}
