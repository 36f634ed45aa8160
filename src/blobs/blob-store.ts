import type { Readable, Writable } from 'node:stream';
import type { Digest, DigestAlgorithm } from '../oci/digest.ts';
import { CodedError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { ByteSource } from '../platform/streams.ts';

/**
 * `upload_offset`: the bytes do not continue where the upload stands. `upload_busy`: another append or commit is under way.
 * `upload_interrupted`: the source failed (its error is the cause); what had arrived is kept. `digest_mismatch`: the content
 * has another digest. `receiver_gone`: whoever was sent a blob does not listen any more. `storage_failed`: the medium refused (read-only, broken, away); nothing became visible.
 * `storage_full`: the same because there is no room left.
 */
export class BlobError extends CodedError<
  | 'upload_id_invalid'
  | 'upload_offset'
  | 'upload_busy'
  | 'upload_interrupted'
  | 'digest_mismatch'
  | 'range_invalid'
  | 'receiver_gone'
  | 'storage_failed'
  | 'storage_full'
> {}

/** Part of a blob, in bytes; `last` is inclusive. Must lie inside the blob. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Content-addressed bytes. Knows nothing of repositories or who may see what: the database decides what is visible. */
export interface BlobStore extends UploadStore {
  /** Size of a stored blob, or undefined when it is not there. */
  stat(digest: Digest): Promise<{ readonly size: number } | undefined>;
  /** The content, or part of it, as a stream the caller must consume or destroy; undefined when it is not there. */
  open(digest: Digest, range?: ByteRange): Promise<Readable | undefined>;
  /** Part of the content for somebody at the other end of a connection; undefined when it is not all there. Absent where `open` is as good. */
  readonly openToSend?: (digest: Digest, range: ByteRange) => Promise<SendBlob | undefined>;
  /**
   * Takes a plain file of this machine for the blob without copying it: verified, durable and in place when this returns. The file must not
   * be changed afterwards. Undefined when the file lies where that cannot be done, on another file system. Throws `BlobError`: digest_mismatch,
   * storage_failed. Absent where blobs are no files.
   */
  adoptFile?(digest: Digest, path: string): Promise<{ readonly size: number } | undefined>;
  /** Takes a blob away, into the trash where the medium has one; false when it was not there. Open readers go on reading. */
  delete(digest: Digest): Promise<boolean>;
  /** Frees what was deleted before `before` (epoch ms); gives the number of blobs. */
  emptyTrash(before: number): Promise<number>;
  /** Where the content is as a file of this machine, for readers that need random access. Absent when there is no such file. */
  localPath?(digest: Digest): string;
  /**
   * An address at which whoever has it may read the content for some minutes, from the medium itself; undefined when the blob is
   * not there. Absent where the medium cannot, or was not told to, serve clients.
   */
  temporaryUrl?(digest: Digest): Promise<string | undefined>;
}

/** Writes what was asked for to `sink`, which stays open. To be called once; throws `BlobError` receiver_gone or storage_failed. */
export type SendBlob = (sink: Writable) => Promise<void>;

/**
 * Blobs in the making. An upload is a UUID chosen by the caller and the bytes received under it; one that has received
 * nothing need not exist. Uploads survive a restart.
 */
export interface UploadStore {
  /** Number of bytes received; 0 for an unknown upload. */
  uploadSize(id: string): Promise<number>;
  /**
   * Adds bytes at `offset`, which must be the number received so far, and gives the new number. When the source fails
   * what arrived before is kept. `algorithm` is a hint for hashing while writing; sha256 unless told.
   * Throws `BlobError`: upload_offset, upload_busy, upload_interrupted, storage_failed, storage_full.
   */
  append(id: string, offset: number, source: ByteSource, algorithm?: DigestAlgorithm): Promise<number>;
  /**
   * Turns the upload into the blob `digest`: verified, durable and in place when this returns. The upload is gone then.
   * Throws `BlobError`: digest_mismatch (the upload stays), upload_busy, storage_failed, storage_full.
   */
  commit(id: string, digest: Digest): Promise<{ readonly size: number }>;
  /** Where the bytes received so far are as a file of this machine, for readers that follow along. Absent when there is no such file. */
  uploadPath?(id: string): string;
  /** Throws the upload away; unknown ones are fine. */
  cancel(id: string): Promise<void>;
  /** Throws away every upload that received nothing since `before` (epoch ms); gives their number. */
  cancelStale(before: number): Promise<number>;
}

/**
 * Stores a whole blob whose digest is known before it comes: writes, verifies, makes durable. Nothing is left behind when
 * the source fails or holds something else. Throws `BlobError` as `append` and `commit` do.
 */
export async function putBlob(
  store: UploadStore,
  digest: Digest,
  source: ByteSource,
): Promise<{ readonly size: number }> {
  const id = newId();
  try {
    await store.append(id, 0, source, digest.startsWith('sha512:') ? 'sha512' : 'sha256');
    return await store.commit(id, digest);
  } catch (error) {
    // What cannot be thrown away now is thrown away with other stale uploads; why it is to be thrown away matters more.
    await store.cancel(id).catch(() => undefined);
    throw error;
  }
}

const UPLOAD_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Throws `upload_id_invalid` unless `id` is a UUID in lower case: ids become file and object names. */
export function checkUploadId(id: string): void {
  if (!UPLOAD_ID.test(id)) throw new BlobError('upload_id_invalid', 'an upload id must be a UUID in lower case');
}

/** Throws `range_invalid` unless the range lies inside a blob of that size. */
export function checkRange(range: ByteRange, size: number): void {
  const { first, last } = range;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 0 || last < first || last >= size)
    throw new BlobError('range_invalid', `bytes ${first}-${last} do not lie inside a blob of ${size} bytes`);
}

export function offsetError(offset: number, size: number): BlobError {
  return new BlobError('upload_offset', `the upload stands at byte ${size}, but the data starts at byte ${offset}`);
}

export function busyError(): BlobError {
  return new BlobError(
    'upload_busy',
    'another request is writing to this upload; ask where it stands and continue there',
  );
}

export function mismatchError(expected: Digest, actual: Digest): BlobError {
  return new BlobError('digest_mismatch', `the content has the digest ${actual}, not ${expected}; send it again`);
}
