import { type Db, unsynced } from '../db/database.ts';
import { locksRows } from '../db/repository-lock.ts';
import type { Verdict } from '../model/verdict.ts';
import { breathe } from '../platform/breathe.ts';
import { foundIn } from './found.ts';
import { keepFindings } from './keep.ts';
import type { FindingLines, KnownFindings } from './known-findings.ts';

/** Verdicts listed with one transaction: few enough that nobody waits long for it. */
const PAGE = 25;
/** There until they are: `0022-findings.ts`. */
const TO_BE_FILLED = 'findings.to-be-filled';

/** Whether all kept verdicts are in the list; those of before there was one come while the server runs. */
export async function isComplete(db: Db): Promise<boolean> {
  return (
    (await db.selectFrom('settings').select('key').where('key', '=', TO_BE_FILLED).executeTakeFirst()) === undefined
  );
}

/** Lists the verdicts that were kept before there was a list, until all are or it is aborted. Gives their number. */
export async function fillFindings(db: Db, signal: AbortSignal): Promise<number> {
  if (await isComplete(db)) return 0;
  const memory: FillMemory = { lines: new WeakMap(), known: new Map() };
  let listed = 0;
  let after: Place | undefined;
  while (!signal.aborted) {
    const page = await fillPage(db, after, memory);
    listed += page.length;
    after = page.at(-1);
    if (page.length < PAGE) {
      await db.deleteFrom('settings').where('key', '=', TO_BE_FILLED).execute();
      return listed;
    }
    await breathe();
  }
  return listed;
}

interface FillMemory {
  readonly lines: FindingLines;
  readonly known: KnownFindings;
}

interface Place {
  readonly repository_id: string;
  readonly digest: string;
}

/** What a power cut takes of it is listed by the next run. */
function fillPage(db: Db, after: Place | undefined, { lines, known }: FillMemory): Promise<readonly Place[]> {
  return unsynced(db)
    .transaction()
    .execute(async (tx) => {
      let query = tx
        .selectFrom('verdicts as v')
        .innerJoin('manifests as m', (join) =>
          join.onRef('m.repository_id', '=', 'v.repository_id').onRef('m.digest', '=', 'v.digest'),
        )
        .innerJoin('repositories as r', 'r.id', 'v.repository_id')
        .select(['v.repository_id', 'v.digest', 'v.document', 'r.name', 'r.project_id'])
        .where('m.kind', '<>', 'index')
        .orderBy('v.repository_id')
        .orderBy('v.digest')
        .limit(PAGE);
      if (after)
        query = query.where((where) =>
          where.or([
            where('v.repository_id', '>', after.repository_id),
            where.and([where('v.repository_id', '=', after.repository_id), where('v.digest', '>', after.digest)]),
          ]),
        );
      // Whoever judges one of them anew comes before or after: what is read here stays what is kept.
      if (locksRows(tx)) query = query.forUpdate('v');
      const rows = await query.execute();
      const images = rows.map((row) => ({
        repositoryId: row.repository_id,
        repository: row.name,
        projectId: row.project_id,
        digest: row.digest,
        found: foundIn(JSON.parse(row.document) as Verdict, lines),
      }));
      await keepFindings(tx, images, known, { newest: false });
      return rows;
    });
}
