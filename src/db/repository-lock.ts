import { PostgresAdapter } from 'kysely';
import type { Db, Tx } from './database.ts';

/**
 * Holds a repository until the transaction ends; false when it does not exist. Those who `change` it do so side by side; who
 * `sweeps` it is alone, and sees everything that was changed before. Where there is one writer at a time this is only a look.
 */
export async function lockRepository(tx: Tx, id: string, purpose: 'change' | 'sweep'): Promise<boolean> {
  let query = tx.selectFrom('repositories').select('id').where('id', '=', id);
  if (locksRows(tx)) query = purpose === 'change' ? query.forShare() : query.forUpdate();
  return (await query.executeTakeFirst()) !== undefined;
}

/** The row of a blob, held until the transaction ends: nobody can link it meanwhile. */
export async function lockBlob(tx: Tx, digest: string) {
  const query = tx.selectFrom('blobs').selectAll().where('digest', '=', digest);
  return (locksRows(tx) ? query.forUpdate() : query).executeTakeFirst();
}

function locksRows(db: Db): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}
