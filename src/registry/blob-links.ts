import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Db, Tx } from '../db/database.ts';
import { type HeldRepository, lockRepository } from '../db/repository-lock.ts';
import { statement } from '../db/statement.ts';
import type { Digest } from '../oci/digest.ts';
import { noteArrival, noteBlobDeparture } from '../usage/changes.ts';
import { type Audit, writeDown } from './audit.ts';
import { RegistryError } from './errors.ts';
import { refuseImmutableContent } from './immutable.ts';
import { refuseWithoutRoom } from './quota.ts';
import { type ContentDeps, type Repository, requireRepository } from './repositories.ts';
import { promise, putReviews } from './reviews.ts';
import { endSession } from './upload-sessions.ts';

/** How long a push waits for the same content to be moved into the trash. */
const MOVE_TRIES = 100;
const MOVE_WAIT_MS = 50;

export interface LinkedBlob {
  readonly repositoryId: string;
  readonly size: number;
  /** Garbage collection leaves it alone until then at least (epoch ms); null when nothing was promised. */
  readonly promisedUntil: number | null;
}

/** The blob as this repository has it, in one query; undefined when it is not linked here. */
export async function findBlob(db: Db, repository: string, digest: Digest): Promise<LinkedBlob | undefined> {
  const row = await db
    .selectFrom('repositories as r')
    .innerJoin('repository_blobs as l', (join) =>
      join.onRef('l.repository_id', '=', 'r.id').on('l.digest', '=', digest),
    )
    .innerJoin('blobs as b', 'b.digest', 'l.digest')
    .leftJoin('gc_reviews as g', (join) =>
      join.on('g.kind', '=', 'link').onRef('g.repository_id', '=', 'r.id').on('g.digest', '=', digest),
    )
    .where('r.name', '=', repository)
    .where('b.withheld_at', 'is', null)
    .select(['r.id as repositoryId', 'b.size', 'g.not_before as promisedUntil'])
    .executeTakeFirst();
  return row;
}

/** What `linkBlob` needs: it looks at the content itself only where that may just have been given up. */
type LinkDeps = ContentDeps & { readonly blobs: Pick<BlobStore, 'stat'> };
type SizedBlob = { readonly digest: Digest; readonly size: number };
interface Withheld {
  readonly withheld_at: number | null;
  readonly moving_until: number | null;
}

interface LinkOptions {
  /** The finished upload, forgotten in the same transaction. */
  readonly uploadId?: string;
  /** Its content was not written now. */
  readonly mounted?: boolean;
  /** Somebody pushes it, so it must find room in the quota of the project. */
  readonly pushed?: boolean;
}

/**
 * Makes a blob that is durable in the blob store visible in a repository, where garbage collection then leaves it for a while.
 * Throws `RegistryError`: name_unknown, denied when the quota has no room for it, or unavailable when the same content is being given up
 * at this very moment.
 */
export async function linkBlob(
  deps: LinkDeps,
  repositoryId: string,
  blob: SizedBlob,
  how: LinkOptions = {},
): Promise<void> {
  let restored: number | undefined;
  while (!(await tryLink(deps, repositoryId, blob, { ...how, restored }))) restored = await restoredSince(deps, blob);
}

/** False when the content was given up. `restored`: given up at that moment, but there again. */
async function tryLink(
  deps: LinkDeps,
  repositoryId: string,
  { digest, size }: SizedBlob,
  how: LinkOptions & { readonly restored: number | undefined },
): Promise<boolean> {
  const now = deps.clock.now();
  return deps.db.transaction().execute(async (tx) => {
    const held = await requireRepository(tx, repositoryId);
    if (how.pushed) await refuseWithoutRoom(tx, deps, held, { kind: 'blob', digest, size });
    const stored = await (how.mounted ? keepMounted : keepWritten)(tx, { digest, size, now });
    const [state] = stored.rows;
    if (state !== undefined && state.withheld_at !== null) {
      if (state.moving_until !== null || state.withheld_at !== how.restored) return false;
      await tx
        .updateTable('blobs')
        .set({ withheld_at: null, withheld_for: null })
        .where('digest', '=', digest)
        .execute();
    }
    const { changed: arrived } = await insertLink(tx, { repositoryId, digest, now });
    if (arrived > 0) await noteArrival(tx, held, { kind: 'blob', digest, size });
    if (how.uploadId !== undefined) await endSession(tx, how.uploadId);
    await promise(tx, [{ kind: 'link', repositoryId, digest }], now);
    return true;
  });
}

interface WrittenBlob extends SizedBlob {
  readonly now: number;
}

const keepWritten = statement((db, { digest, size, now }: WrittenBlob) =>
  db
    .insertInto('blobs')
    .values({ digest, size, created_at: now, written_at: now })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet({ size, written_at: now }))
    .returning(['withheld_at', 'moving_until']),
);

const keepMounted = statement((db, { digest, size, now }: WrittenBlob) =>
  db
    .insertInto('blobs')
    .values({ digest, size, created_at: now, written_at: now })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet({ size }))
    .returning(['withheld_at', 'moving_until']),
);

const insertLink = statement(
  (db, link: { readonly repositoryId: string; readonly digest: Digest; readonly now: number }) =>
    db
      .insertInto('repository_blobs')
      .values({ repository_id: link.repositoryId, digest: link.digest, created_at: link.now })
      .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing()),
);

/** Waits until content that was given up has been moved away; gives when that was, if it is there again now. */
async function restoredSince(deps: LinkDeps, { digest, size }: SizedBlob): Promise<number | undefined> {
  for (let tries = 0; tries < MOVE_TRIES; tries += 1) {
    const state: Withheld | undefined = await deps.db
      .selectFrom('blobs')
      .select(['withheld_at', 'moving_until'])
      .where('digest', '=', digest)
      .executeTakeFirst();
    if (!state || state.withheld_at === null) return undefined;
    if (state.moving_until === null) {
      // Only now: what is there after the move was stored after it.
      if ((await deps.blobs.stat(digest))?.size === size) return state.withheld_at;
      break;
    }
    await sleep(MOVE_WAIT_MS);
  }
  throw new RegistryError('unavailable', `${digest} was cleaned up at this very moment; push it again`, {
    headers: { 'retry-after': '1' },
  });
}

/**
 * Takes the blob out of one repository; other repositories keep it. False when it was not there. Throws `RegistryError('denied')` when
 * an immutable tag needs it.
 */
export async function unlinkBlob(
  deps: ContentDeps,
  { id, name }: Repository,
  digest: Digest,
  audit?: Audit,
): Promise<boolean> {
  return deps.db.transaction().execute(async (tx) => {
    const held = await lockRepository(tx, id, 'change');
    if (!held) return false;
    await refuseImmutableContent(tx, held, { blob: digest });
    if (!(await removeLink(tx, held, digest, deps.clock.now()))) return false;
    await writeDown(tx, audit, name, { action: 'blob.delete', what: `@${digest}`, details: {} });
    return true;
  });
}

/** The same within a transaction that holds the repository. */
export async function removeLink(tx: Tx, held: HeldRepository, digest: string, now: number): Promise<boolean> {
  const repositoryId = held.id;
  const result = await tx
    .deleteFrom('repository_blobs')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (result.numDeletedRows === 0n) return false;
  await noteBlobDeparture(tx, held, digest);
  await putReviews(tx, [{ kind: 'blob', repositoryId: '', digest }], now);
  return true;
}

/** The same for content that somebody pushes: what the quota has no room for is left to garbage collection. */
export async function linkPushedBlob(
  deps: LinkDeps,
  repositoryId: string,
  blob: SizedBlob,
  how: Omit<LinkOptions, 'pushed'> = {},
): Promise<void> {
  try {
    await linkBlob(deps, repositoryId, blob, { ...how, pushed: true });
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'denied') await abandonBlob(deps, blob);
    throw error;
  }
}

/**
 * Leaves content to garbage collection that is in the blob store and may stay in no repository: a push was refused when its content
 * was there already.
 */
async function abandonBlob(deps: ContentDeps, { digest, size }: SizedBlob): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction().execute(async (tx) => {
    await tx
      .insertInto('blobs')
      .values({ digest, size, created_at: now, written_at: now })
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .execute();
    await putReviews(tx, [{ kind: 'blob', repositoryId: '', digest }], now);
  });
}

/** Has a blob stay for a while, because a client is about to be told that it is here; false when it is not, after all. */
export async function promiseBlob(deps: ContentDeps, repositoryId: string, digest: Digest): Promise<boolean> {
  return deps.db.transaction().execute(async (tx) => {
    await lockRepository(tx, repositoryId, 'change');
    const link = await tx
      .selectFrom('repository_blobs')
      .select('digest')
      .where('repository_id', '=', repositoryId)
      .where('digest', '=', digest)
      .executeTakeFirst();
    if (link) await promise(tx, [{ kind: 'link', repositoryId, digest }], deps.clock.now());
    return link !== undefined;
  });
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
