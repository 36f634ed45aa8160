import type { Db } from '../db/database.ts';
import type { Digest } from '../oci/digest.ts';

/** What we know of a tag at its upstream. */
export interface KnownTag {
  readonly digest: Digest;
  /** Epoch ms of the last time the upstream confirmed it. */
  readonly checkedAt: number;
}

/** The tag as last seen at the upstream; undefined when never. */
export async function findKnownTag(db: Db, repositoryId: string, name: string): Promise<KnownTag | undefined> {
  const row = await db
    .selectFrom('mirror_tags')
    .select(['digest', 'checked_at'])
    .where('repository_id', '=', repositoryId)
    .where('name', '=', name)
    .executeTakeFirst();
  return row && { digest: row.digest as Digest, checkedAt: row.checked_at };
}

/** Remembers that the upstream's tag pointed at this digest at that time. */
export async function confirmTag(db: Db, repositoryId: string, name: string, known: KnownTag): Promise<void> {
  const values = { digest: known.digest, checked_at: known.checkedAt };
  await db
    .insertInto('mirror_tags')
    .values({ repository_id: repositoryId, name, ...values })
    .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doUpdateSet(values))
    .execute();
}
