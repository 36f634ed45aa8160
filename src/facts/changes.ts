import type { Db } from '../db/database.ts';
import type { Position } from './cursor.ts';

export interface NotedChange {
  readonly id: number;
  readonly mark: number;
  readonly kind: string;
  readonly repository: string;
  readonly item: string;
}

/** Changes kept: a reader that was away for longer gets a full account. */
const KEPT = 200_000;
const PRUNED_AT_ONCE = 5000;

/** True when the row a reader saw last is there, unchanged: otherwise it may have missed some, or the database was put back. */
export async function isKnown(db: Db, { id, mark }: Position): Promise<boolean> {
  const row = await db.selectFrom('guard_changes').select('mark').where('id', '=', id).executeTakeFirst();
  return row?.mark === mark;
}

/** The position of the newest row up to `settled`. */
export async function positionAt(db: Db, settled: number): Promise<Position> {
  const row = await db
    .selectFrom('guard_changes')
    .select(['id', 'mark'])
    .where('id', '<=', settled)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? { id: 0, mark: 0 };
}

/** Changes after one and up to another, in order. */
export async function changesBetween(db: Db, after: number, upTo: number, limit: number): Promise<NotedChange[]> {
  return db
    .selectFrom('guard_changes')
    .selectAll()
    .where('id', '>', after)
    .where('id', '<=', upTo)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Takes away what is older than the changes kept. Gives how many. */
export async function pruneChanges(db: Db, settled: number, kept = KEPT): Promise<number> {
  let pruned = 0;
  for (;;) {
    const rows = await db
      .selectFrom('guard_changes')
      .select('id')
      .where('id', '<=', settled - kept)
      .orderBy('id')
      .limit(PRUNED_AT_ONCE)
      .execute();
    const last = rows.at(-1);
    if (!last) return pruned;
    await db.deleteFrom('guard_changes').where('id', '<=', last.id).execute();
    pruned += rows.length;
  }
}
