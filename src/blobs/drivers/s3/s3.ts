import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { messageOf } from '../../../platform/errors.ts';
import { BlobError, type BlobStore, checkRange, checkUploadId, offsetError } from '../../blob-store.ts';
import { assemble, hasDigest } from './assemble.ts';
import { openBucket } from './bucket.ts';
import { placeBlob, removeBlob } from './finish.ts';
import { keysBelow } from './keys.ts';
import type { S3Options } from './options.ts';
import { partSizes } from './part-sizes.ts';
import { createPointers } from './pointer.ts';
import { newHash } from './progress.ts';
import { openObject } from './reading.ts';
import { receive } from './receive.ts';
import { readRecord } from './record.ts';
import { createSigner } from './signer.ts';
import { checkBucket } from './start-check.ts';
import { cancelStaleUploads, discardUpload, emptyTrashBin } from './sweep.ts';
import { createUploads } from './uploads.ts';

/**
 * Blobs in a bucket of S3. Any number of processes may use one bucket: what is known of an upload lies in it, and memory only
 * spares reading again. Throws `BlobError('storage_failed')` with the reason when the bucket cannot be used.
 */
export async function openS3BlobStore(options: S3Options): Promise<BlobStore> {
  const { clock, spoolDir, redirect } = options;
  const bucket = openBucket(options);
  const keys = keysBelow(options.prefix);
  const pointers = createPointers({ bucket, keys, clock });
  const transfer = { bucket, keys, sizes: partSizes(options.uniformPartSize), spoolDir };
  const placing = { bucket, keys, pointers, clock };
  const uploads = createUploads({ bucket, keys });
  await ensureSpool(spoolDir);
  await checkBucket(bucket, keys);
  const sign = redirect && (await createSigner(options, redirect.endpoint));

  return {
    async uploadSize(id) {
      checkUploadId(id);
      const { record, size } = await uploads.current(id);
      const { blob } = record;
      const isPlaced = blob && (await pointers.read(blob.digest))?.object === blob.object;
      return isPlaced ? 0 : size;
    },

    append: (id, offset, source, algorithm) =>
      uploads.exclusively(id, async () => {
        // Nobody else can have gone on with it when it stands where the caller says.
        const progress = await uploads.recall(id, (known) => known.size === offset);
        if (offset !== progress.size) throw offsetError(offset, progress.size);
        if (progress.closed)
          throw new BlobError('upload_busy', 'the upload was finished and takes no more data; begin another');
        if (progress.size === 0 && algorithm) progress.hash = newHash(algorithm);
        await receive(transfer, id, progress, source);
        return progress.size;
      }),

    commit: (id, digest) =>
      uploads.exclusively(id, async () => {
        // Parts are put together once and for all: only when they are known to be right, or all there are.
        const progress = await uploads.recall(id, (known) => hasDigest(known, digest));
        const result = await assemble(transfer, progress, digest);
        await placeBlob(placing, { id, record: progress.record }, digest, result);
        uploads.forget(id);
        return { size: result.size };
      }),

    cancel: (id) =>
      uploads.exclusively(id, async () => {
        const record = await readRecord(placing, id);
        uploads.forget(id);
        if (!record) return;
        const { blob } = record;
        const isPlaced = blob && (await pointers.read(blob.digest))?.object === blob.object;
        if (!isPlaced) await discardUpload(placing, id, record);
      }),

    cancelStale: (before) => cancelStaleUploads(placing, before, (id) => uploads.isBusy(id)),

    async stat(digest) {
      const pointer = await pointers.read(digest);
      const found = pointer && (await bucket.head(keys.object(pointer.object)));
      return found && found.size === pointer.size ? { size: pointer.size } : undefined;
    },

    async open(digest, range) {
      const known = await pointers.recall(digest);
      if (!known) return undefined;
      if (range) checkRange(range, known.size);
      if (known.size === 0) return Readable.from([]);
      const part = range ?? { first: 0, last: known.size - 1 };
      const content = await openObject(bucket, keys.object(known.object), part);
      if (content) return content;
      // The blob may have been stored anew since, and the trash emptied.
      const pointer = await pointers.read(digest);
      return pointer && openObject(bucket, keys.object(pointer.object), part);
    },

    delete: (digest) => removeBlob(placing, digest),

    emptyTrash: (before) => emptyTrashBin(placing, before),

    ...(sign && {
      async temporaryUrl(digest) {
        const pointer = await pointers.recall(digest);
        return pointer && sign(keys.object(pointer.object));
      },
    }),
  };
}

async function ensureSpool(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const why = `the folder for parts on their way, ${folder}, cannot be used: ${messageOf(error)}`;
    throw new BlobError('storage_failed', why, { cause: error });
  }
}
