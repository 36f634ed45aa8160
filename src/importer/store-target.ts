import { Readable } from 'node:stream';
import { type BlobStore, putBlob } from '../blobs/blob-store.ts';
import type { Db } from '../db/database.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import {
  ensureRepository,
  findBlob,
  findManifestInfo,
  linkPushedBlob,
  setTag,
  storeManifest,
} from '../registry/content-store.ts';
import type { ContentQuarantine } from '../registry/ports.ts';
import type { ImportedBlob, ImportTarget } from './ports.ts';

export interface StoreTargetDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly blobs: BlobStore;
  /** What may not come in. */
  readonly quarantine?: ContentQuarantine | undefined;
  /** Bytes that a project may hold when it has no quota of its own; absent: any number. */
  readonly defaultQuota?: number | undefined;
  /** Has a manifest judged as soon as a server runs. */
  judge(subject: { readonly repositoryId: string; readonly digest: Digest }): Promise<void>;
}

export interface StoreTargetOptions {
  readonly requireProject: ImportTarget['requireProject'];
  /** Takes files as they lie where the blob storage can. */
  readonly link: boolean;
  /** Who is written down as the one who pushed. */
  readonly actor: string;
}

/**
 * The database and the blob storage as the target, while no server uses the data folder. The rules of a push hold: nothing becomes visible
 * before it is verified and durable, no manifest before its content.
 */
export function createStoreTarget(
  deps: StoreTargetDeps,
  { requireProject, link, actor }: StoreTargetOptions,
): ImportTarget {
  const { db, blobs } = deps;

  async function store(digest: Digest, blob: ImportedBlob): Promise<{ how: 'sent' | 'linked'; size: number }> {
    const adopted = link && blob.file !== undefined ? await blobs.adoptFile?.(digest, blob.file) : undefined;
    if (adopted) return { how: 'linked', size: adopted.size };
    const { content } = await blob.open();
    try {
      return { how: 'sent', ...(await putBlob(blobs, digest, content)) };
    } finally {
      // A storage that fails before it reads anything leaves the file open.
      if (content instanceof Readable) content.destroy();
    }
  }

  return {
    requireProject,
    async find(repository, reference) {
      return (await findManifestInfo(db, repository, reference))?.digest;
    },
    async hasBlob(repository, digest) {
      return (await findBlob(db, repository, digest)) !== undefined;
    },
    async putBlob(name, digest, { home, blob }) {
      const repository = await ensureRepository(deps, name);
      const there = home === undefined ? undefined : await findBlob(db, home, digest);
      if (there) {
        await linkPushedBlob(deps, repository.id, { digest, size: there.size }, { mounted: true });
        return { how: 'mounted' };
      }
      const stored = await store(digest, await blob());
      await linkPushedBlob(deps, repository.id, { digest, size: stored.size });
      return stored;
    },
    async putManifest(name, { digest, mediaType, content }, tag) {
      const repository = await ensureRepository(deps, name);
      if (tag !== undefined && (await findManifestInfo(db, name, digest))) {
        await setTag(deps, repository.id, tag, digest);
        return;
      }
      await storeManifest(deps, {
        repository,
        bytes: content,
        mediaType,
        digest,
        tags: tag === undefined ? [] : [tag],
        createdBy: actor,
        missingContent: 'refuse',
      });
      await deps.judge({ repositoryId: repository.id, digest });
    },
  };
}
