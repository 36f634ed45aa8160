import { nameOf, SYSTEM } from '../auth/principal.ts';
import type { Tx } from '../db/database.ts';
import { type HeldRepository, lockBlob, lockRepository } from '../db/repository-lock.ts';
import { retryDelay } from '../jobs/backoff.ts';
import type { Actor } from '../ledger/chain.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { projectOf } from '../model/project-name.ts';
import { parseDigest } from '../oci/digest.ts';
import { breathe } from '../platform/breathe.ts';
import { messageOf } from '../platform/errors.ts';
import { removeLink } from '../registry/blob-links.ts';
import { removeManifest } from '../registry/manifest-writer.ts';
import { putReviews, type Review, type ReviewKind } from '../registry/reviews.ts';
import { type Decision, decide } from './decide.ts';
import { claimReview, peekReviews, returnReview, type TakenReview, takeReviews } from './review-queue.ts';
import { type Claim, moveAway, settleWithheld, type WithheldDeps, withhold } from './withheld.ts';

export interface CollectDeps extends WithheldDeps {
  readonly ledger: Ledger;
  readonly skipLocked: boolean;
  /** How long things are left alone after the change that may have made them garbage. */
  readonly delayMs: number;
  readonly random?: () => number;
}

/** What became of the reviews of one run. */
export interface Summary {
  readonly reviewed: number;
  readonly deleted: Readonly<Record<ReviewKind, number>>;
  /** Bytes of manifests and blobs that were deleted; those of blobs are free when the trash is emptied. */
  readonly bytes: number;
  /** Will be tried again later; none of them keeps the others. */
  readonly failed: number;
}

interface Tally {
  reviewed: number;
  readonly deleted: Record<ReviewKind, number>;
  bytes: number;
  failed: number;
}

const BATCH = 20;
const LEASE_MS = 60_000;
const LONGEST_LOOK = 100_000;

/**
 * Reviews what is due until nothing is, `mostReviews` are done or the signal says so. Each review is a transaction of its own: one that
 * fails is tried again later and later, and stops no other.
 */
export async function collect(
  deps: CollectDeps,
  options: { readonly mostReviews: number; readonly signal?: AbortSignal; readonly by?: Actor },
): Promise<Summary> {
  const tally: Tally = { reviewed: 0, deleted: { manifest: 0, link: 0, blob: 0 }, bytes: 0, failed: 0 };
  await settleWithheld(deps);
  while (tally.reviewed < options.mostReviews) {
    const now = deps.clock.now();
    const limit = Math.min(BATCH, options.mostReviews - tally.reviewed);
    const taken = await takeReviews(deps, { now, delayMs: deps.delayMs }, { limit, leasedUntil: now + LEASE_MS });
    if (taken.length === 0) break;
    for (const review of taken) {
      if (options.signal?.aborted) await returnReview(deps.db, review);
      else await settle(deps, review, tally);
    }
    if (options.signal?.aborted) break;
    await breathe();
  }
  await recordRun(deps, tally, options.by);
  return tally;
}

async function settle(deps: CollectDeps, review: TakenReview, tally: Tally): Promise<void> {
  tally.reviewed += 1;
  try {
    const acted = await act(deps, review);
    if (!acted) return await returnReview(deps.db, review);
    const { decision, claim } = acted;
    if (decision.kind !== 'delete') return;
    tally.deleted[review.kind] += 1;
    tally.bytes += decision.bytes;
    if (claim !== undefined) await moveAway(deps, parseDigest(review.digest), claim);
  } catch (error) {
    tally.failed += 1;
    const { kind, digest, repositoryId } = review;
    const reason = messageOf(error);
    deps.logger.error({ kind, digest, repositoryId, error: reason }, 'garbage collection failed for one object');
    const notBefore = deps.clock.now() + retryDelay(review.attempts + 1, deps.random ?? Math.random);
    await returnReview(deps.db, review, { notBefore, error: reason });
  }
}

interface Acted {
  readonly decision: Decision;
  /** To the content of a blob, which is to be moved now. */
  readonly claim?: Claim | undefined;
}

/** Decides and acts in one transaction; undefined when the review was pushed back meanwhile. */
async function act(deps: CollectDeps, review: TakenReview): Promise<Acted | undefined> {
  const now = deps.clock.now();
  return deps.db.transaction().execute(async (tx) => {
    const held = review.kind === 'blob' ? undefined : await lockRepository(tx, review.repositoryId, 'sweep');
    if (!(await claimReview(tx, review, { now, delayMs: deps.delayMs }))) return undefined;
    if (review.kind === 'blob') await lockBlob(tx, review.digest);
    const decision = await decide(tx, review, now);
    if (decision.kind === 'later') await putReviews(tx, [review], review.changedAt, decision.notBefore);
    return decision.kind === 'delete'
      ? { decision, claim: await remove(tx, deps, { ...review, held }, now) }
      : { decision };
  });
}

async function remove(
  tx: Tx,
  deps: CollectDeps,
  { kind, digest, held }: Review & { readonly held: HeldRepository | undefined },
  now: number,
): Promise<Claim | undefined> {
  if (kind === 'blob') return withhold(tx, digest, 'unused', now);
  if (!held) return undefined;
  if (kind === 'link') {
    await removeLink(tx, held, digest, now);
    return undefined;
  }
  await removeManifest(tx, held, parseDigest(digest), now);
  await deps.ledger.append(tx, {
    actor: nameOf(SYSTEM),
    action: 'gc.delete',
    target: `${held.name}@${digest}`,
    project: projectOf(held.name),
    details: { reason: 'no tag, index or subject keeps it' },
  });
  return undefined;
}

/** What somebody asked for is on record also when there was nothing to do. */
async function recordRun({ ledger }: CollectDeps, { deleted, bytes, failed }: Tally, by?: Actor): Promise<void> {
  if (by === undefined && deleted.manifest + deleted.link + deleted.blob === 0) return;
  const details = { manifests: deleted.manifest, unlinked: deleted.link, blobs: deleted.blob, bytes, failed };
  await ledger.record({ actor: by ?? nameOf(SYSTEM), action: 'gc.run', target: 'installation', details });
}

/**
 * What a run would delete now, without deleting it. What only becomes garbage by that, like the blobs of a manifest, is not in it.
 */
export async function lookAhead(deps: Pick<CollectDeps, 'db' | 'clock' | 'delayMs'>): Promise<Summary> {
  const now = deps.clock.now();
  const tally: Tally = { reviewed: 0, deleted: { manifest: 0, link: 0, blob: 0 }, bytes: 0, failed: 0 };
  let last: Review | undefined;
  while (tally.reviewed < LONGEST_LOOK) {
    const page = await peekReviews(deps.db, { now, delayMs: deps.delayMs }, last, 500);
    for (const review of page) {
      const decision = await decide(deps.db, review, now);
      tally.reviewed += 1;
      if (decision.kind !== 'delete') continue;
      tally.deleted[review.kind] += 1;
      tally.bytes += decision.bytes;
    }
    last = page.at(-1);
    if (!last) break;
    await breathe();
  }
  return tally;
}
