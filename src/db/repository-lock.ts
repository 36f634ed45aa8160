import { PostgresAdapter } from 'kysely';
import type { Db, Tx } from './database.ts';
import { statement } from './statement.ts';

/** A repository that is held, with what its project says about changes of its content. */
export interface HeldRepository {
  readonly id: string;
  /** Full name, `front/alpine`. */
  readonly name: string;
  readonly projectId: string;
  /** As in `projects`; null where the project is gone, too. */
  readonly quota: number | null;
  readonly immutableTags: string | null;
}

/**
 * Holds a repository until the transaction ends; undefined when it does not exist. Those who `change` it do so side by side; who
 * `sweeps` it is alone, and sees everything that was changed before. Where there is one writer at a time this is only a look.
 */
export async function lockRepository(
  tx: Tx,
  id: string,
  purpose: 'change' | 'sweep',
): Promise<HeldRepository | undefined> {
  const { rows } = await (purpose === 'change' ? holdToChange : holdToSweep)(tx, { id });
  return rows[0];
}

const selectHeld = (db: Db, id: string) =>
  db
    .selectFrom('repositories as r')
    .leftJoin('projects as p', 'p.id', 'r.project_id')
    .select(['r.id', 'r.name', 'r.project_id as projectId', 'p.quota', 'p.immutable_tags as immutableTags'])
    .where('r.id', '=', id);

// The project itself is not held: all pushes into it would lock one row.
const holdToChange = statement((db, { id }: { readonly id: string }) =>
  locksRows(db) ? selectHeld(db, id).forShare('r') : selectHeld(db, id),
);
const holdToSweep = statement((db, { id }: { readonly id: string }) =>
  locksRows(db) ? selectHeld(db, id).forUpdate('r') : selectHeld(db, id),
);

/** The row of a blob, held until the transaction ends: nobody can link it meanwhile. */
export async function lockBlob(tx: Tx, digest: string) {
  const query = tx.selectFrom('blobs').selectAll().where('digest', '=', digest);
  return (locksRows(tx) ? query.forUpdate() : query).executeTakeFirst();
}

/** Whether several transactions may write at once. */
export function locksRows(db: Db): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}
