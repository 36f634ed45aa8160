import { type SqlBool, sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { newId } from '../platform/ids.ts';
import type { Review, ReviewKind } from '../registry/reviews.ts';

/** A review that a worker has taken. */
export interface TakenReview extends Review {
  readonly lease: string;
  /** Epoch ms of the change that put it into the queue. */
  readonly changedAt: number;
  /** Tries that failed before. */
  readonly attempts: number;
}

/** When a review is due: `delayMs` after the change, and not before the moment that was promised. */
export interface Due {
  readonly now: number;
  readonly delayMs: number;
}

const LONGEST_ERROR = 1000;

/** Takes reviews that are due, oldest first, or whose worker died; no two workers get the same. */
export async function takeReviews(
  deps: { readonly db: Db; readonly skipLocked: boolean },
  due: Due,
  options: { readonly limit: number; readonly leasedUntil: number },
): Promise<TakenReview[]> {
  let wanted = dueReviews(deps.db, due)
    .select(['kind', 'repository_id', 'digest'])
    .where((eb) => eb.or([eb('leased_until', 'is', null), eb('leased_until', '<', due.now)]))
    .orderBy('changed_at')
    .limit(options.limit);
  if (deps.skipLocked) wanted = wanted.forUpdate().skipLocked();
  const lease = newId();
  const rows = await deps.db
    .updateTable('gc_reviews')
    .set({ lease, leased_until: options.leasedUntil })
    .where((eb) =>
      eb(eb.refTuple('kind', 'repository_id', 'digest'), 'in', wanted.$asTuple('kind', 'repository_id', 'digest')),
    )
    .returningAll()
    .execute();
  return rows.map((row) => ({ ...reviewOf(row), lease, changedAt: row.changed_at, attempts: row.attempts }));
}

/** Reviews that are due, for a look: after one of them, in the order of their keys. */
export async function peekReviews(db: Db, due: Due, after: Review | undefined, limit: number) {
  let query = dueReviews(db, due).selectAll().orderBy('kind').orderBy('repository_id').orderBy('digest').limit(limit);
  if (after)
    query = query.where(
      sql<SqlBool>`(kind, repository_id, digest) > (${after.kind}, ${after.repositoryId}, ${after.digest})`,
    );
  return (await query.execute()).map((row) => ({ ...reviewOf(row), changedAt: row.changed_at }));
}

function dueReviews(db: Db, { now, delayMs }: Due) {
  return db
    .selectFrom('gc_reviews')
    .where('changed_at', '<=', now - delayMs)
    .where('not_before', '<=', now);
}

/**
 * Ends a review in the transaction that acts on it, as its first statement after the lock of the repository. False: it was pushed
 * back meanwhile, or another worker has it; then nothing may be done.
 */
export async function claimReview(tx: Tx, review: TakenReview, { now, delayMs }: Due): Promise<boolean> {
  const result = await mine(tx.deleteFrom('gc_reviews'), review)
    .where('changed_at', '<=', now - delayMs)
    .where('not_before', '<=', now)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** Gives a review back to the queue: until `notBefore`, or for when it is due by itself. `error`: why this try failed. */
export async function returnReview(
  db: Db,
  review: TakenReview,
  { notBefore = 0, error }: { readonly notBefore?: number; readonly error?: string } = {},
): Promise<void> {
  const failed =
    error === undefined ? {} : { attempts: review.attempts + 1, last_error: error.slice(0, LONGEST_ERROR) };
  await mine(
    db.updateTable('gc_reviews').set({
      lease: null,
      leased_until: null,
      not_before: sql<number>`case when not_before > cast(${notBefore} as bigint) then not_before else cast(${notBefore} as bigint) end`,
      ...failed,
    }),
    review,
  ).execute();
}

interface Narrowed<Query> {
  where(column: 'kind' | 'repository_id' | 'digest' | 'lease', operator: '=', value: string): Query;
}

function mine<Query extends Narrowed<Query>>(query: Query, review: TakenReview): Query {
  return query
    .where('kind', '=', review.kind)
    .where('repository_id', '=', review.repositoryId)
    .where('digest', '=', review.digest)
    .where('lease', '=', review.lease);
}

function reviewOf(row: Row<'gc_reviews'>): Review {
  return { kind: row.kind as ReviewKind, repositoryId: row.repository_id, digest: row.digest };
}
