import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { statementOfRows } from '../db/statement.ts';
import type { Digest } from '../oci/digest.ts';

export type ReviewKind = 'manifest' | 'link' | 'blob';

/** Something that garbage collection should look at. A `blob` has no repository: it is looked at everywhere. */
export interface Review {
  readonly kind: ReviewKind;
  /** Empty for a `blob`. */
  readonly repositoryId: string;
  readonly digest: string;
}

/** What a client was told is there stays at least this long, also when the delay of garbage collection is shorter. */
const PROMISE_MS = 24 * 3_600_000;
/** A promise that lasts at least this long is not given anew: a write for a look at something is dear. */
const PROMISE_LEFT_MS = PROMISE_MS / 2;
/**
 * Puts things into the review queue, or pushes them back in it, in the transaction of the change that may have made them
 * garbage. To be called after everything else the transaction writes, with all of them at once: rows are then locked in one order.
 */
export async function putReviews(tx: Tx, reviews: readonly Review[], now: number, notBefore = 0): Promise<void> {
  const rows = new Map(
    reviews.map((review) => [
      `${review.kind} ${review.repositoryId} ${review.digest}`,
      {
        kind: review.kind,
        repository_id: review.repositoryId,
        digest: review.digest,
        changed_at: now,
        not_before: notBefore,
        attempts: 0,
      } satisfies NewRow<'gc_reviews'>,
    ]),
  );
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  for (const batch of batches(sorted)) await insertReviews(tx, batch);
}

const insertReviews = statementOfRows((db, rows: readonly NewRow<'gc_reviews'>[]) =>
  db
    .insertInto('gc_reviews')
    .values(
      rows.map(({ kind, repository_id, digest, changed_at, not_before, attempts }) => ({
        kind,
        repository_id,
        digest,
        changed_at,
        not_before,
        attempts,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['kind', 'repository_id', 'digest']).doUpdateSet({
        changed_at: later('changed_at'),
        not_before: later('not_before'),
        attempts: 0,
      }),
    ),
);

/** Never an earlier moment than it was: a promise or a longer wait must not be lost. */
function later(column: 'changed_at' | 'not_before') {
  const [before, after] = [sql.ref(`gc_reviews.${column}`), sql.ref(`excluded.${column}`)];
  return sql<number>`case when ${before} > ${after} then ${before} else ${after} end`;
}

/** The same for what a client is told is there now: it can count on it for a while, whatever becomes of other references. */
export async function promise(tx: Tx, reviews: readonly Review[], now: number): Promise<void> {
  await putReviews(tx, reviews, now, now + PROMISE_MS);
}

/** True while an earlier promise is good enough. */
export function isPromised(notBefore: number | null, now: number): boolean {
  return notBefore !== null && notBefore > now + PROMISE_LEFT_MS;
}

/** What of a manifest may be garbage once it is gone: its content, and what is about it. */
export async function reviewsOfContent(db: Db, repositoryId: string, manifest: Digest): Promise<Review[]> {
  const blobs = await db
    .selectFrom('manifest_blobs')
    .select('blob_digest as digest')
    .where('repository_id', '=', repositoryId)
    .where('manifest_digest', '=', manifest)
    .execute();
  const children = await db
    .selectFrom('manifest_children')
    .select('child_digest as digest')
    .where('repository_id', '=', repositoryId)
    .where('parent_digest', '=', manifest)
    .execute();
  const referrers = await db
    .selectFrom('manifests')
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .where('subject', '=', manifest)
    .execute();
  const review = (kind: ReviewKind) => (row: { readonly digest: string }) => ({ kind, repositoryId, ...row });
  // A child may be a blob.
  return [...[...blobs, ...children].map(review('link')), ...[...children, ...referrers].map(review('manifest'))];
}
