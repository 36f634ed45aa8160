import type { Db } from '../db/database.ts';

/** What garbage collection and scrubbing remember between two runs, as JSON in the settings. */
export async function readState<State>(db: Db, key: string): Promise<State | undefined> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst();
  return row && (JSON.parse(row.value) as State);
}

export async function writeState(db: Db, key: string, state: object): Promise<void> {
  const value = JSON.stringify(state);
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}
