import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { DatabaseHandle } from './database.ts';
import { locksRows } from './repository-lock.ts';
import type { Schema } from './schema.ts';

/** What triggers write about (`0014-guard-changes.ts` and those after it). */
export const NOTED_TABLES: readonly (keyof Schema)[] = [
  'tags',
  'manifests',
  'verdicts',
  'repositories',
  'projects',
  'upstreams',
  'trusted_sources',
  'quarantines',
  'policies',
];
const LOOK_AGAIN_MS = 10;
/** A writer that takes longer is waited for by the next call. */
const LONGEST_WAIT_MS = 2000;

/**
 * Gives the highest number of `guard_changes` up to which nothing can appear any more: numbers are given when a row is written and not
 * when its transaction ends, so that a later one may be seen first. Costs no query where nothing was written since the last call.
 */
export function settledChanges({ db, stateOf }: Pick<DatabaseHandle, 'db' | 'stateOf'>): () => Promise<number> {
  const state = stateOf(...NOTED_TABLES);
  let known: { readonly state: number; readonly newest: number } | undefined;
  let settled = 0;
  let waiting: { readonly newest: number; writers: readonly string[] } | undefined;

  async function newestRow(): Promise<number> {
    const row = await db
      .selectFrom('guard_changes')
      .select(({ fn }) => fn.max('id').as('newest'))
      .executeTakeFirst();
    return row?.newest ?? 0;
  }

  async function afterWriters(): Promise<number> {
    if (!waiting) {
      const newest = await newestRow();
      if (newest === settled) return settled;
      // Whoever has been given a number up to `newest` and has not ended yet holds this lock since before it got it.
      waiting = { newest, writers: await writersOf() };
    }
    const until = performance.now() + LONGEST_WAIT_MS;
    while (waiting.writers.length > 0 && performance.now() < until) {
      await delay(LOOK_AGAIN_MS);
      const now = new Set(await writersOf());
      waiting.writers = waiting.writers.filter((writer) => now.has(writer));
    }
    if (waiting.writers.length > 0) return settled;
    settled = waiting.newest;
    waiting = undefined;
    return settled;
  }

  async function writersOf(): Promise<string[]> {
    const { rows } = await sql<{ writer: string }>`select virtualtransaction as writer from pg_locks
      where locktype = 'relation' and relation = 'guard_changes'::regclass and mode = 'RowExclusiveLock'
        and database = (select oid from pg_database where datname = current_database())`.execute(db);
    return rows.map(({ writer }) => writer);
  }

  let underWay: Promise<number> | undefined;
  return async () => {
    const now = locksRows(db) ? undefined : state();
    // One writer at a time: what can be seen is all there is.
    if (typeof now === 'number') {
      if (known?.state !== now) known = { state: now, newest: await newestRow() };
      return known.newest;
    }
    underWay ??= afterWriters().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
