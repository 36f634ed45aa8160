import type { Db } from '../db/database.ts';
import type { Digest } from '../oci/digest.ts';
import type { ContentDeps } from './repositories.ts';

export interface LinkedBlob {
  readonly repositoryId: string;
  readonly size: number;
}

/** The blob as this repository has it, in one query; undefined when it is not linked here. */
export async function findBlob(db: Db, repository: string, digest: Digest): Promise<LinkedBlob | undefined> {
  const row = await db
    .selectFrom('repositories as r')
    .innerJoin('repository_blobs as l', (join) =>
      join.onRef('l.repository_id', '=', 'r.id').on('l.digest', '=', digest),
    )
    .innerJoin('blobs as b', 'b.digest', 'l.digest')
    .where('r.name', '=', repository)
    .select(['r.id as repositoryId', 'b.size'])
    .executeTakeFirst();
  return row;
}

/**
 * Makes a blob that is durable in the blob store visible in a repository. `uploadId`: the finished upload, forgotten in the
 * same transaction.
 */
export async function linkBlob(
  deps: ContentDeps,
  repositoryId: string,
  blob: { readonly digest: Digest; readonly size: number },
  uploadId?: string,
): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction().execute(async (tx) => {
    await tx
      .insertInto('blobs')
      .values({ digest: blob.digest, size: blob.size, created_at: now })
      .onConflict((conflict) => conflict.column('digest').doUpdateSet({ size: blob.size }))
      .execute();
    await tx
      .insertInto('repository_blobs')
      .values({ repository_id: repositoryId, digest: blob.digest, created_at: now })
      .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
      .execute();
    if (uploadId !== undefined) await tx.deleteFrom('uploads').where('id', '=', uploadId).execute();
  });
}

/** Takes the blob out of one repository; other repositories keep it. False when it was not there. */
export async function unlinkBlob(db: Db, repositoryId: string, digest: Digest): Promise<boolean> {
  const result = await db
    .deleteFrom('repository_blobs')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** Size a manifest of the repository gives for a blob; for mirrors, whose blobs may not be here yet. */
export async function declaredSize(db: Db, repository: string, digest: Digest): Promise<number | undefined> {
  const row = await db
    .selectFrom('repositories as r')
    .innerJoin('manifest_blobs as m', (join) =>
      join.onRef('m.repository_id', '=', 'r.id').on('m.blob_digest', '=', digest),
    )
    .where('r.name', '=', repository)
    .select('m.size')
    .executeTakeFirst();
  return row?.size;
}

/** Names of repositories that have the blob; at most `limit`. */
export async function repositoriesWithBlob(db: Db, digest: Digest, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('repository_blobs as l')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .where('l.digest', '=', digest)
    .select('r.name')
    .limit(limit)
    .execute();
  return rows.map((row) => row.name);
}
