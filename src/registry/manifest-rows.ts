import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';
import { type Placed, selectPresent } from '../db/present.ts';
import type { NewRow } from '../db/schema.ts';
import { type Answer, statement, statementOfRows } from '../db/statement.ts';
import type { Digest } from '../oci/digest.ts';
import type { ChildDescriptor, Descriptor, ParsedManifest } from '../oci/manifest.ts';

/** Adds a manifest unless the repository has it; `changed` tells. */
export const insertManifest = statement((db, row: NewRow<'manifests'>) =>
  db
    .insertInto('manifests')
    .values({
      repository_id: row.repository_id,
      digest: row.digest,
      media_type: row.media_type,
      kind: row.kind,
      artifact_type: row.artifact_type,
      size: row.size,
      content: row.content,
      subject: row.subject,
      annotations: row.annotations,
      created_by: row.created_by,
      created_at: row.created_at,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing()),
);

/** Writes down what a manifest refers to. */
export async function insertReferences(
  tx: Tx,
  repositoryId: string,
  digest: Digest,
  manifest: ParsedManifest,
): Promise<void> {
  const blobs = [
    ...(manifest.config ? [blobRow(repositoryId, digest, 0, manifest.config)] : []),
    ...manifest.layers.map((layer, at) => blobRow(repositoryId, digest, at + 1, layer)),
  ];
  for (const batch of batches(blobs)) await insertBlobs(tx, batch);
  const children = manifest.children.map((child, at) => childRow(repositoryId, digest, at, child));
  for (const batch of batches(children)) await tx.insertInto('manifest_children').values(batch).execute();
}

const insertBlobs = statementOfRows((db, rows: readonly NewRow<'manifest_blobs'>[]) =>
  db.insertInto('manifest_blobs').values(
    rows.map(({ repository_id, manifest_digest, position, blob_digest, media_type, size }) => ({
      repository_id,
      manifest_digest,
      position,
      blob_digest,
      media_type,
      size,
    })),
  ),
);

function blobRow(repositoryId: string, digest: Digest, position: number, blob: Descriptor) {
  return {
    repository_id: repositoryId,
    manifest_digest: digest,
    position,
    blob_digest: blob.digest,
    media_type: blob.mediaType,
    size: blob.size,
  };
}

function childRow(repositoryId: string, digest: Digest, position: number, child: ChildDescriptor) {
  return {
    repository_id: repositoryId,
    parent_digest: digest,
    position,
    child_digest: child.digest,
    platform: child.platform ?? null,
  };
}

/** Those of these blobs that the repository does not have. */
export async function absentBlobs(tx: Tx, repositoryId: string, digests: readonly Digest[]): Promise<Digest[]> {
  return absent(digests, (batch) => presentBlobs(tx, placed(repositoryId, batch)));
}

function placed(repositoryId: string, digests: readonly Digest[]): readonly Placed[] {
  return digests.map((digest) => ({ repositoryId, digest }));
}

const presentBlobs = statementOfRows((db, rows: readonly Placed[]) => selectPresent(db, 'repository_blobs', rows));
const presentManifests = statementOfRows((db, rows: readonly Placed[]) => selectPresent(db, 'manifests', rows));

/** The same of manifests. */
export async function absentManifests(tx: Tx, repositoryId: string, digests: readonly Digest[]): Promise<Digest[]> {
  return absent(digests, (batch) => presentManifests(tx, placed(repositoryId, batch)));
}

async function absent(
  digests: readonly Digest[],
  present: (batch: readonly Digest[]) => Promise<Answer<{ digest: string }>>,
): Promise<Digest[]> {
  const missing = new Set(digests);
  for (const batch of batches([...missing]))
    for (const row of (await present(batch)).rows) missing.delete(row.digest as Digest);
  return [...missing];
}

/** A tag and what it is to point at. */
interface TagRow {
  readonly repositoryId: string;
  readonly name: string;
  readonly digest: Digest;
  readonly now: number;
}

/** Locks a tag, which is made when there is none, and gives what it points at. */
export const lockTag = statement((db, tag: TagRow) =>
  db
    .insertInto('tags')
    .values({ repository_id: tag.repositoryId, name: tag.name, digest: tag.digest, updated_at: tag.now })
    .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doUpdateSet({ updated_at: tag.now }))
    .returning('digest'),
);
