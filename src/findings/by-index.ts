import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { locksRows } from '../db/repository-lock.ts';

/** Settings of PostgreSQL by which rows are looked up as the statement says, table after table, in indexes alone. */
const AS_WRITTEN: Readonly<Record<string, string>> = {
  join_collapse_limit: '1',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_material: 'off',
  enable_memoize: 'off',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
};

/**
 * Runs something whose statements are written so that they read little. SQLite reads as they are written; PostgreSQL thinks it knows better
 * from what it believes to be in the tables, and would rather read all of them.
 */
export function readByIndex<Result>(db: Db, run: (db: Db) => Promise<Result>): Promise<Result> {
  if (!locksRows(db)) return run(db);
  return db
    .transaction()
    .setAccessMode('read only')
    .execute(async (tx) => {
      const settings = Object.entries(AS_WRITTEN).map(([name, value]) => sql`set_config(${name}, ${value}, true)`);
      await sql`select ${sql.join(settings)}`.execute(tx);
      return run(tx);
    });
}
