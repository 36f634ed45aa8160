import type { Db } from '../db/database.ts';
import { statement } from '../db/statement.ts';
import { type Digest, parseDigest, tryParseDigest } from '../oci/digest.ts';
import type { ManifestKind } from '../oci/manifest.ts';

export interface ManifestInfo {
  readonly repositoryId: string;
  /** Full name of the repository. */
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly kind: ManifestKind;
  readonly size: number;
  /** The repository belongs to a mirror project. */
  readonly mirrored: boolean;
  /** Its project gives manifests up that nothing keeps. */
  readonly mayExpire: boolean;
}

export interface StoredManifest extends ManifestInfo {
  /** Byte for byte as it was pushed. */
  readonly content: Buffer;
}

/** Finds a manifest by tag or digest with its bytes, in one query; undefined when the repository has none. */
export async function findManifest(db: Db, repository: string, reference: string): Promise<StoredManifest | undefined> {
  const row = await selectManifest(db, repository, reference).select('m.content').executeTakeFirst();
  return row && { ...asInfo(repository, row), content: asBuffer(row.content) };
}

/** Like `findManifest` without the bytes. */
export async function findManifestInfo(
  db: Db,
  repository: string,
  reference: string,
): Promise<ManifestInfo | undefined> {
  const row = await selectManifest(db, repository, reference).executeTakeFirst();
  return row && asInfo(repository, row);
}

function selectManifest(db: Db, repository: string, reference: string) {
  // A tag has no colon; asking first spares every pull by tag an error that is thrown away.
  const digest = reference.includes(':') ? tryParseDigest(reference) : undefined;
  const manifests = digest
    ? db
        .selectFrom('repositories as r')
        .innerJoin('manifests as m', (join) => join.onRef('m.repository_id', '=', 'r.id').on('m.digest', '=', digest))
    : db
        .selectFrom('repositories as r')
        .innerJoin('tags as t', (join) => join.onRef('t.repository_id', '=', 'r.id').on('t.name', '=', reference))
        .innerJoin('manifests as m', (join) =>
          join.onRef('m.repository_id', '=', 'r.id').onRef('m.digest', '=', 't.digest'),
        );
  return manifests
    .leftJoin('upstreams as u', 'u.project_id', 'r.project_id')
    .leftJoin('projects as p', 'p.id', 'r.project_id')
    .where('r.name', '=', repository)
    .select(['r.id', 'm.digest', 'm.media_type', 'm.kind', 'm.size', 'u.project_id as upstream', 'p.delete_untagged']);
}

interface InfoRow {
  id: string;
  digest: string;
  media_type: string;
  kind: string;
  size: number;
  upstream: string | null;
  delete_untagged: number | null;
}

function asInfo(repository: string, row: InfoRow): ManifestInfo {
  return {
    repositoryId: row.id,
    repository,
    digest: parseDigest(row.digest),
    mediaType: row.media_type,
    kind: row.kind as ManifestKind,
    size: row.size,
    mirrored: row.upstream !== null,
    mayExpire: row.delete_untagged === 1 && row.upstream === null,
  };
}

/** A manifest in a list: what it is, without bytes. */
export interface ManifestSummary {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly kind: ManifestKind;
  readonly artifactType?: string;
  readonly size: number;
  readonly subject?: Digest;
  readonly createdBy: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** Manifests of a repository by digest, after `after`; at most `limit`. */
export async function listManifests(
  db: Db,
  repositoryId: string,
  page: { readonly after: string; readonly limit: number },
): Promise<ManifestSummary[]> {
  const rows = await db
    .selectFrom('manifests')
    .select(['digest', 'media_type', 'kind', 'artifact_type', 'size', 'subject', 'created_by', 'created_at'])
    .where('repository_id', '=', repositoryId)
    .where('digest', '>', page.after)
    .orderBy('digest')
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({
    digest: parseDigest(row.digest),
    mediaType: row.media_type,
    kind: row.kind as ManifestKind,
    size: row.size,
    createdBy: row.created_by,
    createdAt: row.created_at,
    ...(row.artifact_type === null ? {} : { artifactType: row.artifact_type }),
    ...(row.subject === null ? {} : { subject: parseDigest(row.subject) }),
  }));
}

export interface BlobReference {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** Config and layers of a manifest in order; both empty when it is not stored or refers to no blobs. */
export async function manifestBlobs(
  db: Db,
  repositoryId: string,
  digest: Digest,
): Promise<{ readonly config?: BlobReference; readonly layers: readonly BlobReference[] }> {
  const { rows } = await selectBlobs(db, { repositoryId, digest });
  const references = rows.map((row) => ({
    position: row.position,
    blob: { digest: parseDigest(row.blob_digest), mediaType: row.media_type, size: row.size },
  }));
  const config = references.find((entry) => entry.position === 0)?.blob;
  const layers = references.filter((entry) => entry.position > 0).map((entry) => entry.blob);
  return config ? { config, layers } : { layers };
}

/** A manifest of a repository. */
interface Place {
  readonly repositoryId: string;
  readonly digest: Digest;
}

const selectBlobs = statement((db, { repositoryId, digest }: Place) =>
  db
    .selectFrom('manifest_blobs')
    .select(['position', 'blob_digest', 'media_type', 'size'])
    .where('repository_id', '=', repositoryId)
    .where('manifest_digest', '=', digest)
    .orderBy('position'),
);

export interface ManifestChild {
  readonly digest: Digest;
  /** `linux/arm64/v8`; absent when the index does not say. Attestations are `unknown/unknown`. */
  readonly platform?: string;
  /** Absent when the child is not stored here as a manifest: not pulled through yet, or a blob. */
  readonly kind?: ManifestKind;
}

/** Children of an index in order. */
export async function manifestChildren(db: Db, repositoryId: string, digest: Digest): Promise<ManifestChild[]> {
  const rows = await db
    .selectFrom('manifest_children as c')
    .leftJoin('manifests as m', (join) =>
      join.onRef('m.repository_id', '=', 'c.repository_id').onRef('m.digest', '=', 'c.child_digest'),
    )
    .select(['c.child_digest', 'c.platform', 'm.kind'])
    .where('c.repository_id', '=', repositoryId)
    .where('c.parent_digest', '=', digest)
    .orderBy('c.position')
    .execute();
  return rows.map((row) => ({
    digest: parseDigest(row.child_digest),
    ...(row.platform === null ? {} : { platform: row.platform }),
    ...(row.kind === null ? {} : { kind: row.kind as ManifestKind }),
  }));
}

/** Indexes of the repository that list this manifest. */
export async function manifestParents(db: Db, repositoryId: string, digest: Digest): Promise<Digest[]> {
  const { rows } = await selectParents(db, { repositoryId, digest });
  return rows.map((row) => parseDigest(row.parent_digest));
}

const selectParents = statement((db, { repositoryId, digest }: Place) =>
  db
    .selectFrom('manifest_children')
    .select('parent_digest')
    .distinct()
    .where('repository_id', '=', repositoryId)
    .where('child_digest', '=', digest),
);

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
