import { algorithmOf, type Digest, digestFrom } from '../../../oci/digest.ts';
import { BlobError, busyError, mismatchError } from '../../blob-store.ts';
import { newObjectName } from './keys.ts';
import { newHash, type Progress } from './progress.ts';
import { openObject } from './reading.ts';
import { joined, type TransferDeps } from './receive.ts';

/** The object that holds a whole upload. */
export interface Assembled {
  readonly object: string;
  readonly size: number;
}

/**
 * Makes one object of the upload and verifies that its content has the digest. Bytes that did not come through this process are
 * read again for that. Throws `digest_mismatch` and, when another process wrote meanwhile, `upload_busy`.
 */
export async function assemble(deps: TransferDeps, progress: Progress, digest: Digest): Promise<Assembled> {
  const { blob } = progress.record;
  // Verified before it was noted; what failed came after.
  if (blob?.digest === digest) return { object: blob.object, size: blob.size };
  if (isHashed(progress, digest)) check(progress, digest);
  const object = progress.closed?.object ?? (await together(deps, progress));
  if (!isHashed(progress, digest)) {
    await hashRest(deps, progress, object, digest);
    check(progress, digest);
  }
  return { object, size: progress.size };
}

function isHashed({ hash, size }: Progress, digest: Digest): boolean {
  return hash.algorithm === algorithmOf(digest) && hash.size === size;
}

/** True when all of it came through this process and makes that digest. */
export function hasDigest(progress: Progress, digest: Digest): boolean {
  return isHashed(progress, digest) && actualDigest(progress) === digest;
}

function actualDigest({ hash }: Progress): Digest {
  return digestFrom(hash.algorithm, hash.hash.copy());
}

function check(progress: Progress, digest: Digest): void {
  const actual = actualDigest(progress);
  if (actual !== digest) throw mismatchError(digest, actual);
}

/** Parts become an object in the store. Without parts the pieces are it, or are written anew as one. */
async function together(deps: TransferDeps, progress: Progress): Promise<string> {
  const { bucket, keys } = deps;
  const { multipart, tail, folder } = progress.record;
  const [first, ...others] = tail;
  if (progress.parts.length === 0 && first && others.length === 0) return first.object;
  const rest = await joined(deps, tail);
  try {
    if (!multipart || progress.parts.length === 0) {
      const object = newObjectName(folder);
      await bucket.put(keys.object(object), await rest.content());
      return object;
    }
    const key = keys.object(multipart.object);
    const number = progress.parts.length + 1;
    const parts = [...progress.parts];
    if (rest.size > 0) parts.push(await bucket.putPart(key, multipart.upload, number, await rest.content()));
    if (!(await bucket.completeParts(key, multipart.upload, parts))) {
      // An answer may get lost, and then the first try did it. Another replica may have done it too, with other bytes.
      if ((await bucket.head(key))?.size !== progress.size) throw busyError();
      progress.hash = newHash(progress.hash.algorithm);
    }
    progress.closed = { object: multipart.object, size: progress.size };
    return multipart.object;
  } finally {
    await rest.close();
  }
}

async function hashRest(deps: TransferDeps, progress: Progress, object: string, digest: Digest): Promise<void> {
  if (progress.hash.algorithm !== algorithmOf(digest)) progress.hash = newHash(algorithmOf(digest));
  const { hash, size } = progress;
  if (hash.size === size) return;
  const content = await openObject(deps.bucket, deps.keys.object(object), { first: hash.size, last: size - 1 });
  if (!content) throw new BlobError('storage_failed', `the object ${object} of an upload is gone`);
  for await (const chunk of content) {
    hash.hash.update(chunk as Uint8Array);
    hash.size += (chunk as Uint8Array).byteLength;
  }
}
