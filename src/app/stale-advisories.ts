import type { Db } from '../db/database.ts';
import { addEvents, onlyOnce } from '../notify/outbox.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import type { AdvisoryStore } from '../scanner/advisories/index.ts';

const DAY_MS = 86_400_000;

/** Tells of an advisory database that is older than `staleDays`, once a day for as long as there is no newer one. */
export async function tellStaleAdvisories(deps: {
  readonly db: Db;
  readonly clock: Clock;
  readonly advisories: Pick<AdvisoryStore, 'current'>;
  readonly staleDays: number;
}): Promise<boolean> {
  const { db, clock, advisories, staleDays } = deps;
  const database = advisories.current();
  const now = clock.now();
  const builtAt = database === undefined ? now : Date.parse(database.builtAt);
  if (!database || now - builtAt < staleDays * DAY_MS) return false;
  return db.transaction().execute(async (tx) => {
    if (!(await onlyOnce(tx, `ADVISORIES_STALE ${database.version}`, { now, until: now + DAY_MS }))) return false;
    await addEvents(tx, [
      {
        type: 'ADVISORIES_STALE',
        subject: 'advisories',
        at: now,
        data: { version: database.version, builtAt: toRfc3339(builtAt), ageDays: Math.floor((now - builtAt) / DAY_MS) },
      },
    ]);
    return true;
  });
}
