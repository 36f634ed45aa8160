import { Readable } from 'node:stream';
import { algorithmOf, type Digest, digestOf } from '../../oci/digest.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import {
  BlobError,
  type BlobStore,
  busyError,
  checkRange,
  checkUploadId,
  mismatchError,
  offsetError,
} from '../blob-store.ts';

interface Upload {
  readonly chunks: Uint8Array[];
  size: number;
  touchedAt: number;
}

/** Blobs in this process's memory: for tests and trials. What is deleted is kept until the trash is emptied. */
export function createMemoryBlobStore(options: { readonly clock: Clock }): BlobStore {
  const { clock } = options;
  const uploads = new Map<string, Upload>();
  const blobs = new Map<Digest, Buffer>();
  const trash: { at: number; content: Buffer }[] = [];
  const busy = new Set<string>();

  async function exclusively<Result>(id: string, work: () => Result | Promise<Result>): Promise<Result> {
    checkUploadId(id);
    if (busy.has(id)) throw busyError();
    busy.add(id);
    try {
      return await work();
    } finally {
      busy.delete(id);
    }
  }

  return {
    async uploadSize(id) {
      checkUploadId(id);
      return uploads.get(id)?.size ?? 0;
    },

    append: (id, offset, source) =>
      exclusively(id, async () => {
        const upload = uploads.get(id) ?? { chunks: [], size: 0, touchedAt: clock.now() };
        if (offset !== upload.size) throw offsetError(offset, upload.size);
        uploads.set(id, upload);
        try {
          for await (const chunk of source) {
            upload.chunks.push(Uint8Array.from(chunk));
            upload.size += chunk.byteLength;
            upload.touchedAt = clock.now();
          }
        } catch (error) {
          throw new BlobError('upload_interrupted', `the data broke off: ${messageOf(error)}`, { cause: error });
        }
        return upload.size;
      }),

    commit: (id, digest) =>
      exclusively(id, () => {
        const content = Buffer.concat(uploads.get(id)?.chunks ?? []);
        const actual = digestOf(content, algorithmOf(digest));
        if (actual !== digest) throw mismatchError(digest, actual);
        blobs.set(digest, content);
        uploads.delete(id);
        return { size: content.byteLength };
      }),

    cancel: (id) =>
      exclusively(id, () => {
        uploads.delete(id);
      }),

    async cancelStale(before) {
      const stale = [...uploads].filter(([id, upload]) => !busy.has(id) && upload.touchedAt < before);
      for (const [id] of stale) uploads.delete(id);
      return stale.length;
    },

    async stat(digest) {
      const content = blobs.get(digest);
      return content && { size: content.byteLength };
    },

    async open(digest, range) {
      const content = blobs.get(digest);
      if (!content) return undefined;
      if (range) checkRange(range, content.byteLength);
      const part = range ? content.subarray(range.first, range.last + 1) : content;
      return Readable.from(part.byteLength > 0 ? [part] : [], { objectMode: false });
    },

    async delete(digest) {
      const content = blobs.get(digest);
      if (!content) return false;
      blobs.delete(digest);
      trash.push({ at: clock.now(), content });
      return true;
    },

    async emptyTrash(before) {
      const due = trash.filter((entry) => entry.at < before).length;
      trash.splice(0, due);
      return due;
    },
  };
}
