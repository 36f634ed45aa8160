import type { Tx } from '../db/database.ts';
import { type HeldRepository, lockRepository } from '../db/repository-lock.ts';
import { forgetImage } from '../findings/forget.ts';
import { algorithmOf, type Digest, digestOf } from '../oci/digest.ts';
import { type ParsedManifest, parseManifest } from '../oci/manifest.ts';
import { isForeignLayer } from '../oci/media-types.ts';
import { noteArrival, noteDeparture } from '../usage/changes.ts';
import type { Fullness } from '../usage/quota.ts';
import { type Audit, tellOf, writeDown } from './audit.ts';
import { RegistryError } from './errors.ts';
import { isImmutable, refuseImmutableContent, refuseImmutableMove } from './immutable.ts';
import { absentBlobs, absentManifests, insertManifest, insertReferences, lockTag } from './manifest-rows.ts';
import { refuseQuarantined } from './quarantined.ts';
import { refuseWithoutRoom } from './quota.ts';
import { type ContentDeps, type Repository, requireRepository } from './repositories.ts';
import { isPromised, promise, putReviews, type Review, reviewsOfContent } from './reviews.ts';
import { tagsOf } from './tags.ts';

/** The verdict on an index is made from those on its children, anew when one of them is pushed. */
const MOST_CHILDREN = 1000;
/** Of the tags that went with a manifest, in the ledger. */
const MOST_TAGS_SHOWN = 100;

export interface ManifestToStore {
  readonly repository: Repository;
  readonly bytes: Uint8Array;
  /** Media type it was sent with; without it the manifest says itself. */
  readonly mediaType?: string | undefined;
  /** The digest it must have; without it, it gets its sha256. */
  readonly digest?: Digest | undefined;
  readonly tags: readonly string[];
  readonly createdBy: string;
  /**
   * `refuse` as the push rules say, and with them what the quota has no room for and what an immutable tag forbids; `accept` when the
   * content is fetched on demand (mirrors, which follow their upstream whatever it does).
   */
  readonly missingContent: 'refuse' | 'accept';
  /** Absent where nobody pushes it. */
  readonly audit?: Audit | undefined;
}

interface StoredNow {
  readonly digest: Digest;
  readonly manifest: ParsedManifest;
  /** How full the project is now; absent when it has no quota. */
  readonly fullness?: Fullness;
}

/**
 * Stores a manifest byte for byte and points the tags at it, in one transaction. Storing it again only moves the tags.
 * Throws `ManifestError`, or `RegistryError`: digest_invalid, manifest_invalid, manifest_blob_unknown, denied, quarantined.
 */
export async function storeManifest(deps: ContentDeps, input: ManifestToStore): Promise<StoredNow> {
  const { repository, bytes } = input;
  const digest = digestOf(bytes, input.digest ? algorithmOf(input.digest) : 'sha256');
  if (input.digest && input.digest !== digest)
    throw new RegistryError('digest_invalid', `the manifest has the digest ${digest}, not ${input.digest}`);
  const manifest = parseManifest(bytes, input.mediaType);
  if (manifest.children.length > MOST_CHILDREN)
    throw new RegistryError(
      'manifest_invalid',
      `the index lists ${manifest.children.length} manifests; at most ${MOST_CHILDREN} are possible: divide it into several`,
    );
  // Mirrors follow their upstream; what they may not serve is for the gate.
  if (input.missingContent === 'refuse') await refuseQuarantined(deps, contentsOf(digest, manifest));
  const now = deps.clock.now();
  const content = { kind: 'manifest', digest, size: bytes.byteLength } as const;
  const pushed = input.missingContent === 'refuse';
  const fullness = await deps.db.transaction().execute(async (tx) => {
    const held = await requireRepository(tx, repository.id);
    if (pushed) await refuseMissingContent(tx, repository.id, manifest);
    const room = pushed ? await refuseWithoutRoom(tx, deps, held, content) : undefined;
    const { changed } = await insertManifest(tx, {
      repository_id: repository.id,
      digest,
      media_type: manifest.mediaType,
      kind: manifest.kind,
      artifact_type: manifest.artifactType ?? null,
      size: bytes.byteLength,
      content: bytes,
      subject: manifest.subject?.digest ?? null,
      annotations: manifest.annotations ? JSON.stringify(manifest.annotations) : null,
      created_by: input.createdBy,
      created_at: now,
    });
    if (changed > 0) {
      await insertReferences(tx, repository.id, digest, manifest);
      await noteArrival(tx, held, content);
    }
    // Sorted, so that two pushes of the same tags take their locks in the same order.
    const left: Digest[] = [];
    const moved: { readonly tag: string; readonly before: Digest }[] = [];
    for (const name of [...input.tags].sort())
      for (const before of await writeTag(tx, held, { name, digest, now, pushed })) {
        left.push(before);
        moved.push({ tag: name, before });
      }
    await putReviews(tx, left.map(manifestReview(repository.id)), now);
    if (input.tags.length === 0) await promise(tx, [manifestReview(repository.id)(digest)], now);
    await writeDown(tx, input.audit, repository.name, {
      action: 'manifest.push',
      what: `@${digest}`,
      details: {
        new: changed > 0,
        kind: manifest.kind,
        tags: [...input.tags],
        ...(moved.length > 0 ? { moved } : {}),
      },
    });
    await tellOf(tx, input.audit, repository.name, {
      type: 'PUSH',
      digest,
      data: { tags: [...input.tags], kind: manifest.kind, new: changed > 0 },
      at: now,
    });
    return room;
  });
  return { digest, manifest, ...(fullness ? { fullness } : {}) };
}

/** The manifest itself, its configuration and its layers. */
function contentsOf(digest: Digest, { config, layers }: ParsedManifest): Digest[] {
  return [digest, ...(config ? [config.digest] : []), ...layers.map((layer) => layer.digest)];
}

/** Config, layers and children must be here; foreign layers and the subject need not be (distribution-spec). */
async function refuseMissingContent(tx: Tx, repositoryId: string, manifest: ParsedManifest): Promise<void> {
  const layers = manifest.layers.filter((layer) => !isForeignLayer(layer.mediaType));
  const blobs = [...(manifest.config ? [manifest.config] : []), ...layers].map((blob) => blob.digest);
  const missing = await absentBlobs(tx, repositoryId, blobs);
  // BuildKit's cache indexes list layers, so a child may be a blob.
  const children = await absentManifests(
    tx,
    repositoryId,
    manifest.children.map((child) => child.digest),
  );
  missing.push(...(await absentBlobs(tx, repositoryId, children)));
  if (missing.length === 0) return;
  const [first] = missing;
  const others = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  throw new RegistryError(
    'manifest_blob_unknown',
    `the manifest refers to ${first}${others}, which this repository does not have; push the content first`,
    { detail: missing.slice(0, 20).map((digest) => ({ digest })) },
  );
}

/** Points a tag at a manifest of the same repository, as the upstream of a mirror has it: also when the tag is immutable. */
export async function setTag(deps: ContentDeps, repositoryId: string, name: string, digest: Digest): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction().execute(async (tx) => {
    const held = await requireRepository(tx, repositoryId);
    const left = await writeTag(tx, held, { name, digest, now, pushed: false });
    await putReviews(tx, left.map(manifestReview(repositoryId)), now);
  });
}

interface TagToWrite {
  readonly name: string;
  readonly digest: Digest;
  readonly now: number;
  readonly pushed: boolean;
}

/** Gives the manifest that the tag pointed at before, if it was another one. */
async function writeTag(tx: Tx, held: HeldRepository, { name, digest, now, pushed }: TagToWrite): Promise<Digest[]> {
  const repositoryId = held.id;
  // Locks the tag, so that its digest is the one it is moved away from.
  const { rows } = await lockTag(tx, { repositoryId, name, digest, now });
  const [before] = rows;
  if (!before || before.digest === digest) return [];
  if (pushed) refuseImmutableMove(held, name, before.digest);
  await tx
    .updateTable('tags')
    .set({ digest })
    .where('repository_id', '=', repositoryId)
    .where('name', '=', name)
    .execute();
  return [before.digest as Digest];
}

/** Removes a tag and nothing else; false when there is none of that name. Throws `RegistryError('denied')` when it is immutable. */
export async function deleteTag(
  deps: ContentDeps,
  repository: Repository,
  name: string,
  audit?: Audit,
): Promise<boolean> {
  const { id: repositoryId } = repository;
  return deps.db.transaction().execute(async (tx) => {
    const held = await lockRepository(tx, repositoryId, 'change');
    const removed = await tx
      .deleteFrom('tags')
      .where('repository_id', '=', repositoryId)
      .where('name', '=', name)
      .returning('digest')
      .executeTakeFirst();
    if (!held || !removed) return false;
    await refuseImmutableContent(tx, held, { tag: name });
    await putReviews(tx, [manifestReview(repositoryId)(removed.digest)], deps.clock.now());
    const details = { before: removed.digest, after: null };
    await writeDown(tx, audit, repository.name, { action: 'tag.delete', what: `:${name}`, details });
    await tellOf(tx, audit, repository.name, {
      type: 'DELETE',
      digest: removed.digest,
      data: { tags: [name], deleted: 'tag' },
      at: deps.clock.now(),
    });
    return true;
  });
}

/** A tag as it was when somebody decided about it. */
interface DecidedTag {
  readonly name: string;
  readonly digest: string;
  readonly updatedAt: number;
}

/**
 * Removes tags that no rule keeps, within a transaction that holds the repository. Gives those that went: what was pushed again
 * meanwhile, or has become immutable, stays.
 */
export async function expireTags<Tag extends DecidedTag>(
  tx: Tx,
  held: HeldRepository,
  tags: readonly Tag[],
  now: number,
): Promise<Tag[]> {
  const gone: Tag[] = [];
  for (const tag of tags) {
    if (isImmutable(held, tag.name)) continue;
    const { numDeletedRows } = await tx
      .deleteFrom('tags')
      .where('repository_id', '=', held.id)
      .where('name', '=', tag.name)
      .where('digest', '=', tag.digest)
      .where('updated_at', '=', tag.updatedAt)
      .executeTakeFirst();
    if (numDeletedRows > 0n) gone.push(tag);
  }
  const left = gone.map(({ digest }) => manifestReview(held.id)(digest));
  await putReviews(tx, left, now);
  return gone;
}

/**
 * Removes a manifest and every tag that points at it; false when it is not there. Throws `RegistryError('denied')` when an immutable
 * tag needs it.
 */
export async function deleteManifest(
  deps: ContentDeps,
  { id, name }: Repository,
  digest: Digest,
  audit?: Audit,
): Promise<boolean> {
  return deps.db.transaction().execute(async (tx) => {
    const held = await lockRepository(tx, id, 'change');
    if (!held) return false;
    await refuseImmutableContent(tx, held, { manifest: digest });
    const tags = await tagsOf(tx, id, digest);
    if (!(await removeManifest(tx, held, digest, deps.clock.now()))) return false;
    const details = { tags: tags.slice(0, MOST_TAGS_SHOWN), tagCount: tags.length };
    await writeDown(tx, audit, name, { action: 'manifest.delete', what: `@${digest}`, details });
    await tellOf(tx, audit, name, {
      type: 'DELETE',
      digest,
      data: { tags: tags.slice(0, MOST_TAGS_SHOWN), deleted: 'manifest' },
      at: deps.clock.now(),
    });
    return true;
  });
}

/** The same within a transaction that holds the repository. */
export async function removeManifest(tx: Tx, held: HeldRepository, digest: Digest, now: number): Promise<boolean> {
  const repositoryId = held.id;
  const removed = await tx
    .deleteFrom('manifests')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .returning('size')
    .executeTakeFirst();
  if (!removed) return false;
  await noteDeparture(tx, held, { kind: 'manifest', digest, size: removed.size });
  const left = await reviewsOfContent(tx, repositoryId, digest);
  await tx.deleteFrom('tags').where('repository_id', '=', repositoryId).where('digest', '=', digest).execute();
  const parts = [
    ['manifest_blobs', 'manifest_digest'],
    ['manifest_children', 'parent_digest'],
  ] as const;
  for (const [table, column] of parts)
    await tx.deleteFrom(table).where('repository_id', '=', repositoryId).where(column, '=', digest).execute();
  await forgetImage(tx, repositoryId, digest);
  await putReviews(tx, left, now);
  return true;
}

/** Has a manifest stay for a while, because a client is about to be told that it is here; false when it is not, after all. */
export async function promiseManifest(deps: ContentDeps, repositoryId: string, digest: Digest): Promise<boolean> {
  const now = deps.clock.now();
  const review = manifestReview(repositoryId)(digest);
  const earlier = await deps.db
    .selectFrom('gc_reviews')
    .select('not_before')
    .where('kind', '=', 'manifest')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (earlier && isPromised(earlier.not_before, now)) return true;
  return deps.db.transaction().execute(async (tx) => {
    await lockRepository(tx, repositoryId, 'change');
    const [absent] = await absentManifests(tx, repositoryId, [digest]);
    if (absent === undefined) await promise(tx, [review], now);
    return absent === undefined;
  });
}

function manifestReview(repositoryId: string) {
  return (digest: string): Review => ({ kind: 'manifest', repositoryId, digest });
}
