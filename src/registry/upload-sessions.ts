import type { BlobStore } from '../blobs/blob-store.ts';
import { type Db, type Tx, unsynced } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import { newId } from '../platform/ids.ts';
import type { ContentDeps } from './repositories.ts';

const HOUR = 3_600_000;
const ABANDONED_AFTER = 7 * 24 * HOUR;

export interface UploadSession {
  readonly id: string;
  readonly repositoryId: string;
  readonly updatedAt: number;
}

/** Begins an upload; gives its id. */
export async function startSession(deps: ContentDeps, repositoryId: string): Promise<string> {
  const now = deps.clock.now();
  const id = newId();
  // An upload that a power cut leaves unknown is begun again by the client.
  await insertUpload(unsynced(deps.db), { id, repository_id: repositoryId, size: 0, created_at: now, updated_at: now });
  return id;
}

/** The upload under way in that repository, or undefined. */
export async function findSession(db: Db, repository: string, id: string): Promise<UploadSession | undefined> {
  const { rows } = await selectUpload(db, { repository, id });
  return rows[0];
}

/** Forgets one that has become a blob, in the transaction that makes it so. */
export async function endSession(tx: Tx, id: string): Promise<void> {
  await deleteUpload(tx, { id });
}

const insertUpload = statement((db, { id, repository_id, size, created_at, updated_at }: Row<'uploads'>) =>
  db.insertInto('uploads').values({ id, repository_id, size, created_at, updated_at }),
);

const selectUpload = statement((db, { repository, id }: { readonly repository: string; readonly id: string }) =>
  db
    .selectFrom('uploads as u')
    .innerJoin('repositories as r', 'r.id', 'u.repository_id')
    .where('u.id', '=', id)
    .where('r.name', '=', repository)
    .select(['u.id', 'u.repository_id as repositoryId', 'u.updated_at as updatedAt']),
);

const deleteUpload = statement((db, { id }: { readonly id: string }) => db.deleteFrom('uploads').where('id', '=', id));

/** Notes that the upload goes on. Once an hour is enough to tell it from an abandoned one, and spares a write per chunk. */
export async function touchSession(deps: ContentDeps, session: UploadSession, size: number): Promise<void> {
  const now = deps.clock.now();
  if (now - session.updatedAt < HOUR) return;
  await deps.db.updateTable('uploads').set({ size, updated_at: now }).where('id', '=', session.id).execute();
}

/** Ends an upload without a blob; what was received is thrown away. */
export async function cancelSession(deps: { db: Db; blobs: BlobStore }, id: string): Promise<void> {
  await deps.blobs.cancel(id);
  await deleteUpload(deps.db, { id });
}

/**
 * Throws away uploads that received nothing for seven days, and files of uploads nobody knows any more; gives how many.
 * To be run now and then; one that fails is left for the next run.
 */
export async function purgeUploads(
  deps: ContentDeps & { readonly blobs: BlobStore },
  olderThanMs = ABANDONED_AFTER,
): Promise<number> {
  const before = deps.clock.now() - olderThanMs;
  const rows = await deps.db.selectFrom('uploads').select('id').where('updated_at', '<', before).execute();
  let purged = 0;
  for (const { id } of rows) {
    const cancelled = await cancelSession(deps, id).then(
      () => true,
      () => false,
    );
    if (cancelled) purged += 1;
  }
  return purged + (await deps.blobs.cancelStale(before));
}
