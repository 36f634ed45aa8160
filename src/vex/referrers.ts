import { actorOf } from '../auth/principal.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Db } from '../db/database.ts';
import { type Digest, tryParseDigest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { readBounded } from '../platform/streams.ts';
import { type BlobReference, manifestBlobs } from '../registry/manifest-reader.ts';
import { VexError } from './errors.ts';
import { pusherOf } from './pusher.ts';
import { type TakeInDeps, type TakenIn, takeIn } from './take-in.ts';

/** Bytes of one attached document, and documents of one manifest. */
const LARGEST = 16 * 1024 * 1024;
const MOST_LAYERS = 64;
/** Media types of documents and attestations that can hold VEX. */
const CAN_HOLD_VEX = /openvex|vex\+json|csaf|cyclonedx|in-toto|dsse|sigstore\.bundle/i;
/** Tags of what cosign attached before there were referrers. */
const LEGACY_TAG = /^(sha256|sha512)-([0-9a-f]+)\.(?:att|vex|sbom)$/;

export interface ReferrerDeps extends TakeInDeps {
  readonly db: Db;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly logger: Logger;
}

/** A manifest that was stored; `reference` is the tag or digest it was stored under. */
export interface StoredArtifact {
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly reference?: string;
}

/**
 * Takes in the VEX of a manifest that is attached to an image: as a referrer or under a tag of cosign; signed or not. Everything else is
 * passed over. What cannot be read is a line in the log: pushing it was no fault.
 */
export async function readAttached(deps: ReferrerDeps, artifact: StoredArtifact): Promise<readonly TakenIn[]> {
  const { db, blobs, logger } = deps;
  const found = await manifestOf(db, artifact);
  const subject = found && (tryDigest(found.subject) ?? (await subjectByTag(db, artifact)));
  if (!found || subject === undefined) return [];
  const { layers } = await manifestBlobs(db, artifact.repositoryId, artifact.digest);
  const readable = layers.slice(0, MOST_LAYERS).filter((layer) => canHoldVex(layer, found.artifact_type));
  const by = found.mirrored ? undefined : await pusherOf(db, found.created_by);
  const taken: TakenIn[] = [];
  for (const layer of readable) {
    const name = `${found.repository}@${artifact.digest}`;
    try {
      if (layer.size > LARGEST) throw new VexError('vex_too_large', `${name} holds more than ${LARGEST} bytes`);
      const content = await blobs.open(layer.digest);
      if (!content) throw new VexError('vex_unknown', `the content of ${name} is not here`);
      const bytes = await readBounded(content, LARGEST, name);
      taken.push(
        await takeIn(deps, {
          ...(by ? { by } : {}),
          actor: by ? actorOf(by) : found.created_by,
          name,
          bytes,
          project: { id: found.project_id, name: found.repository.split('/', 1)[0] ?? '' },
          attached: { repositoryId: artifact.repositoryId, manifest: artifact.digest, subject },
        }),
      );
    } catch (error) {
      // Attestations of other kinds, and bills of materials without VEX, are no fault.
      logger.info(
        { artifact: name, layer: layer.digest, reason: messageOf(error) },
        'nothing attached was taken in as VEX',
      );
    }
  }
  return taken;
}

/** Of what nobody had signed: whoever is declared an author now may have. */
const MOST_READ_AGAIN = 1000;

/** Reads what is attached and counts for nothing again, the newest first: after an author was declared. */
export async function readUnprovenAgain(deps: ReferrerDeps): Promise<void> {
  const rows = await deps.db
    .selectFrom('vex_documents')
    .select(['repository_id', 'manifest_digest'])
    .where('author_id', 'is', null)
    .where('withdrawn_at', 'is', null)
    .where('manifest_digest', 'is not', null)
    .orderBy('received_at', 'desc')
    .orderBy('id')
    .limit(MOST_READ_AGAIN)
    .execute();
  for (const { repository_id: repositoryId, manifest_digest: digest } of rows) {
    const parsed = tryDigest(digest);
    if (repositoryId !== null && parsed) await readAttached(deps, { repositoryId, digest: parsed });
  }
}

async function manifestOf(db: Db, { repositoryId, digest }: StoredArtifact) {
  const row = await db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .leftJoin('upstreams as u', 'u.project_id', 'r.project_id')
    .select(['m.kind', 'm.subject', 'm.artifact_type', 'm.created_by', 'r.name', 'r.project_id', 'u.url'])
    .where('m.repository_id', '=', repositoryId)
    .where('m.digest', '=', digest)
    .executeTakeFirst();
  if (!row || row.kind === 'index') return undefined;
  const { name: repository, url, ...rest } = row;
  return { ...rest, repository, mirrored: url !== null };
}

function canHoldVex({ mediaType }: BlobReference, artifactType: string | null): boolean {
  return CAN_HOLD_VEX.test(`${artifactType ?? ''} ${mediaType}`);
}

function tryDigest(text: string | null): Digest | undefined {
  return text === null ? undefined : tryParseDigest(text);
}

/** By the tag it was stored under, else by any it has. */
async function subjectByTag(db: Db, { repositoryId, digest, reference }: StoredArtifact): Promise<Digest | undefined> {
  const own = subjectOfTag(reference ?? '');
  if (own !== undefined) return own;
  const tags = await db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .orderBy('name')
    .limit(MOST_LAYERS)
    .execute();
  return tags.flatMap(({ name }) => subjectOfTag(name) ?? [])[0];
}

function subjectOfTag(tag: string): Digest | undefined {
  const [, algorithm, hex] = LEGACY_TAG.exec(tag) ?? [];
  return algorithm === undefined ? undefined : tryParseDigest(`${algorithm}:${hex}`);
}
