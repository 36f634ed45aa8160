import type { Db } from '../db/database.ts';
import { cacheWhileUnchanged, type DatabaseState } from '../db/unchanged.ts';
import type { Digest } from '../oci/digest.ts';
import { findBlob, type LinkedBlob } from './blob-links.ts';
import { findManifest, type StoredManifest } from './manifest-reader.ts';

/** Bytes kept of manifests, and of rows about blobs. */
const MANIFESTS_KEPT = 16 * 1024 * 1024;
const BLOBS_KEPT = 2 * 1024 * 1024;
/** What an entry takes beside the bytes of its manifest. */
const ROW = 512;

/** What pulls ask for, over and over: answered from memory for as long as nothing was committed to the database. */
export interface Reads {
  /** As `findManifest`. */
  manifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  /** As `findBlob`. */
  blob(repository: string, digest: Digest): Promise<LinkedBlob | undefined>;
}

export function createReads({ db, state }: { readonly db: Db; readonly state: DatabaseState }): Reads {
  const manifests = cacheWhileUnchanged<StoredManifest>(state, {
    limit: MANIFESTS_KEPT,
    weigh: ({ content }) => content.byteLength + ROW,
  });
  const blobs = cacheWhileUnchanged<LinkedBlob>(state, { limit: BLOBS_KEPT, weigh: () => ROW });
  return {
    manifest: (repository, reference) =>
      manifests.get(`${repository} ${reference}`, () => findManifest(db, repository, reference)),
    blob: (repository, digest) => blobs.get(`${repository} ${digest}`, () => findBlob(db, repository, digest)),
  };
}
