import type { Db } from '../db/database.ts';
import { projectOf } from '../model/project-name.ts';
import { addEvents, onlyOnce } from '../notify/outbox.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { findingsData, worstOf } from './finding-data.ts';
import { readDocument } from './verdict-list.ts';

const DAY_MS = 86_400_000;
const NOTICE_MS = 3 * DAY_MS;
/** Verdicts in one transaction. */
const PAGE = 100;

/** Tells of images that are served now and are blocked within three days, because a grace period ends; of each end once. Gives how many. */
export async function tellEndingGrace({ db, clock }: { readonly db: Db; readonly clock: Clock }): Promise<number> {
  const now = clock.now();
  let told = 0;
  let after: { readonly changesAt: number; readonly repositoryId: string; readonly digest: string } | undefined;
  for (;;) {
    const last = after;
    let query = db
      .selectFrom('verdicts as v')
      .innerJoin('repositories as r', 'r.id', 'v.repository_id')
      .select(['v.repository_id', 'v.digest', 'v.document', 'v.advisories', 'v.changes_at', 'r.name'])
      .where('v.changes_at', '>', now)
      .where('v.changes_at', '<=', now + NOTICE_MS)
      .where('v.kind', '<>', 'block')
      .orderBy('v.changes_at')
      .orderBy('v.repository_id')
      .orderBy('v.digest')
      .limit(PAGE);
    if (last)
      query = query.where((where) =>
        where.or([
          where('v.changes_at', '>', last.changesAt),
          where.and([where('v.changes_at', '=', last.changesAt), where('v.repository_id', '>', last.repositoryId)]),
          where.and([
            where('v.changes_at', '=', last.changesAt),
            where('v.repository_id', '=', last.repositoryId),
            where('v.digest', '>', last.digest),
          ]),
        ]),
      );
    const rows = await query.execute();
    told += await db.transaction().execute(async (tx) => {
      let count = 0;
      for (const row of rows) {
        const ending = readDocument(row).reasons.filter(
          ({ deadline, kind }) =>
            kind !== 'block' && deadline !== undefined && deadline > now && deadline <= now + NOTICE_MS,
        );
        const deadline = Math.min(...ending.map((reason) => reason.deadline ?? Infinity));
        if (ending.length === 0) continue;
        const key = `GRACE_ENDING ${row.repository_id} ${row.digest} ${deadline}`;
        if (!(await onlyOnce(tx, key, { now, until: deadline + NOTICE_MS }))) continue;
        const severity = worstOf(ending);
        const findings = findingsData(ending);
        await addEvents(tx, [
          {
            type: 'GRACE_ENDING',
            subject: `${row.name}@${row.digest}`,
            project: projectOf(row.name),
            repository: row.name,
            severity,
            batch: 'grace',
            at: now,
            data: {
              total: 1,
              images: [
                {
                  repository: row.name,
                  digest: row.digest,
                  deadline: toRfc3339(deadline),
                  severity,
                  findings,
                  findingCount: ending.length,
                },
              ],
            },
          },
        ]);
        count += 1;
      }
      return count;
    });
    const end = rows.at(-1);
    if (!end || rows.length < PAGE) return told;
    after = { changesAt: end.changes_at ?? 0, repositoryId: end.repository_id, digest: end.digest };
  }
}
