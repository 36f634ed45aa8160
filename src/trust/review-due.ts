import type { Db } from '../db/database.ts';
import { addEvents, onlyOnce } from '../notify/outbox.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';

const DAY_MS = 86_400_000;
const NOTICE_MS = 14 * DAY_MS;
/** Whoever does not look is reminded. */
const AGAIN_MS = 30 * DAY_MS;

/** Tells of trusted sources whose review is due within two weeks: once, when it is overdue, and every month after that. Gives how many. */
export async function tellDueReviews({ db, clock }: { readonly db: Db; readonly clock: Clock }): Promise<number> {
  const now = clock.now();
  const rows = await db
    .selectFrom('trusted_sources')
    .select(['id', 'entry', 'owner', 'review_due'])
    .where('state', '=', 'approved')
    .where('review_due', '<=', now + NOTICE_MS)
    .execute();
  let told = 0;
  for (const { id, entry, owner, review_due: due } of rows)
    told += await db.transaction().execute(async (tx) => {
      const overdue = due <= now;
      const key = `TRUST_REVIEW_DUE ${id} ${due} ${overdue ? 'overdue' : 'soon'}`;
      if (!(await onlyOnce(tx, key, { now, until: overdue ? now + AGAIN_MS : due + AGAIN_MS }))) return 0;
      const data = { id, entry, owner, reviewDue: toRfc3339(due), overdue };
      await addEvents(tx, [{ type: 'TRUST_REVIEW_DUE', subject: `trust/${entry}`, at: now, data }]);
      return 1;
    });
  return told;
}
