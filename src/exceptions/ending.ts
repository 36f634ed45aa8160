import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { addEvents } from '../notify/outbox.ts';
import type { Clock } from '../platform/clock.ts';
import { exceptionEnds } from './exception-events.ts';

/** So long before its end it is told that an exception ends, but not before three quarters of its time are over. */
const AHEAD_MS = 7 * 86_400_000;
const AT_ONCE = 200;

type Kind = 'EXCEPTION_EXPIRING' | 'EXCEPTION_EXPIRED';

/**
 * Tells of exceptions whose end comes near, and of those that have ended, each once. One that is renewed already is not told of as ending.
 * Nothing depends on it: what is over does not count, whether it was told or not. Gives how many it told of.
 */
export async function tellEndingExceptions({ db, clock }: { readonly db: Db; readonly clock: Clock }): Promise<number> {
  let told = 0;
  for (const kind of ['EXCEPTION_EXPIRING', 'EXCEPTION_EXPIRED'] as const)
    for (;;) {
      const count = await tellSome(db, kind, clock.now());
      told += count;
      if (count < AT_ONCE) break;
    }
  return told;
}

async function tellSome(db: Db, kind: Kind, now: number): Promise<number> {
  const column = kind === 'EXCEPTION_EXPIRING' ? 'expiring_told_at' : 'expired_told_at';
  return db.transaction().execute(async (tx) => {
    const rows = await dueRows(tx, kind, now);
    if (rows.length === 0) return 0;
    // Another replica may be at it, too: who sets the mark tells.
    const marked = await tx
      .updateTable('exceptions')
      .set({ [column]: now })
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .where(column, 'is', null)
      .where('state', '=', 'granted')
      .returning('id')
      .execute();
    const ours = new Set(marked.map(({ id }) => id));
    const names = await tx
      .selectFrom('projects')
      .select(['id', 'name'])
      .where('id', 'in', [...new Set(rows.map(({ project_id }) => project_id))])
      .execute();
    const nameOf = new Map(names.map(({ id, name }) => [id, name]));
    await addEvents(
      tx,
      rows
        .filter(({ id }) => ours.has(id))
        .map((row) =>
          exceptionEnds(kind, row, nameOf.get(row.project_id) ?? '', kind === 'EXCEPTION_EXPIRED' ? row.until : now),
        ),
    );
    return rows.length;
  });
}

async function dueRows(tx: Db, kind: Kind, now: number): Promise<Row<'exceptions'>[]> {
  let select = tx
    .selectFrom('exceptions as e')
    .selectAll()
    .where('e.state', '=', 'granted')
    .orderBy('e.until')
    .orderBy('e.id')
    .limit(AT_ONCE);
  if (kind === 'EXCEPTION_EXPIRED') select = select.where('e.until', '<=', now).where('e.expired_told_at', 'is', null);
  else
    select = select
      .where('e.until', '>', now)
      .where('e.until', '<=', now + AHEAD_MS)
      .where('e.expiring_told_at', 'is', null)
      .where(sql<boolean>`(e.until - cast(${now} as bigint)) * 4 <= e.until - e.valid_from`)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('exceptions as r')
              .select('r.id')
              .whereRef('r.renews', '=', 'e.id')
              .where('r.state', '=', 'granted')
              .whereRef('r.until', '>', 'e.until'),
          ),
        ),
      );
  return select.execute();
}
