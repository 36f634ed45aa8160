import type { BlobStore } from '../blobs/blob-store.ts';
import type { Db, Tx } from '../db/database.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

/** A mover that does not finish within this time has died, and another one does it again. */
const MOVE_MS = 60_000;
/** How long the row of a blob that was given up stays: a push may have stored the content already, and link it only now. */
const REMEMBERED_MS = 86_400_000;

export interface WithheldDeps {
  readonly db: Db;
  readonly blobs: Pick<BlobStore, 'delete'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Stops a blob from being served, in a transaction that holds its row; `moveAway` must follow the commit with what this gives. Who stores
 * the same content meanwhile waits for that, and then sees whether its own content was moved (`linkBlob`).
 */
export async function withhold(tx: Tx, digest: string, reason: 'unused' | 'damaged', now: number): Promise<Claim> {
  const claim = now + MOVE_MS;
  await tx
    .updateTable('blobs')
    .set({ withheld_at: now, withheld_for: reason, moving_until: claim })
    .where('digest', '=', digest)
    .execute();
  return claim;
}

/** What a mover wrote into `moving_until`: as long as that stands there, moving the content is its business and nobody else's. */
export type Claim = number;

/**
 * Moves the content of a withheld blob into the trash, and lets pushes of it go on. Without its claim, which another mover took over when
 * it was late, it leaves everything alone: what is there now may have been stored since.
 */
export async function moveAway(deps: WithheldDeps, digest: Digest, claim: Claim): Promise<void> {
  const mine = await deps.db
    .selectFrom('blobs')
    .select('digest')
    .where('digest', '=', digest)
    .where('moving_until', '=', claim)
    .executeTakeFirst();
  if (!mine) return;
  await deps.blobs.delete(digest);
  await deps.db
    .deleteFrom('layer_analyses')
    .where('blob_digest', '=', digest)
    // Of a damaged blob they are needed again: images are made of it.
    .where((eb) =>
      eb.exists(
        eb.selectFrom('blobs').select('digest').where('digest', '=', digest).where('withheld_for', '=', 'unused'),
      ),
    )
    .execute();
  await deps.db
    .updateTable('blobs')
    .set({ moving_until: null })
    .where('digest', '=', digest)
    .where('moving_until', '=', claim)
    .execute();
}

/** Finishes what movers that died have begun, and forgets blobs that were given up long ago. */
export async function settleWithheld(deps: WithheldDeps): Promise<void> {
  const { db, clock, logger } = deps;
  const now = clock.now();
  const left = await db
    .selectFrom('blobs')
    .select(['digest', 'moving_until'])
    .where('withheld_at', 'is not', null)
    .where('moving_until', '<', now)
    .execute();
  for (const { digest, moving_until: before } of left) {
    const claim = clock.now() + MOVE_MS;
    // Several may have found the same; a push that waited for the first must not lose its content to the second.
    const taken = await db
      .updateTable('blobs')
      .set({ moving_until: claim })
      .where('digest', '=', digest)
      .where('moving_until', '=', before)
      .executeTakeFirst();
    if (taken.numUpdatedRows === 0n) continue;
    try {
      await moveAway(deps, parseDigest(digest), claim);
    } catch (error) {
      logger.error({ digest, error: messageOf(error) }, 'the content of a blob could not be moved into the trash');
    }
  }
  await db
    .deleteFrom('blobs')
    .where('withheld_at', '<', now - REMEMBERED_MS)
    .where((eb) =>
      eb.or([
        eb('withheld_for', '=', 'unused'),
        eb.not(
          eb.exists(
            eb.selectFrom('repository_blobs as l').select('l.digest').whereRef('l.digest', '=', 'blobs.digest'),
          ),
        ),
      ]),
    )
    .where('moving_until', 'is', null)
    .execute();
}
