import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Digest, tryParseDigest } from '../../../oci/digest.ts';
import { BlobError } from '../../blob-store.ts';
import type { Bucket } from './bucket.ts';
import { isObjectName, type Keys, newFolder } from './keys.ts';

/** An object with bytes of an upload that are in no part yet. */
const piece = z.object({
  object: z.string().refine(isObjectName),
  offset: z.number().int().nonnegative(),
  size: z.number().int().positive(),
});
export type Piece = Readonly<z.infer<typeof piece>>;

const target = z.object({ object: z.string().refine(isObjectName), size: z.number().int().nonnegative() });

const schema = z.object({
  /** Another one after each change: whoever remembers an older one is behind. */
  revision: z.string(),
  /** Folder of its objects. */
  folder: z.string().max(100),
  /** Where full parts go, once there are any. The store knows which there are. */
  multipart: z.object({ object: z.string().refine(isObjectName), upload: z.string().max(4096) }).optional(),
  /** What follows the parts, in order. */
  tail: z.array(piece).max(1000),
  /** The blob it became. It is one only when the pointer of the digest names the object. */
  blob: target.extend({ digest: z.string().transform((text) => tryParseDigest(text) ?? z.NEVER) }).optional(),
});

/** What is known of an upload by everyone: one small object, so that any replica can go on with it. */
export type UploadRecord = Omit<Readonly<z.infer<typeof schema>>, 'blob'> & {
  readonly blob?: { readonly object: string; readonly size: number; readonly digest: Digest } | undefined;
};

const LIMIT = 1024 * 1024;

export function newRecord(id: string): UploadRecord {
  return { revision: '', folder: newFolder(id), tail: [] };
}

export async function readRecord(
  { bucket, keys }: { readonly bucket: Bucket; readonly keys: Keys },
  id: string,
): Promise<UploadRecord | undefined> {
  const bytes = await bucket.getSmall(keys.upload(id), LIMIT);
  if (!bytes) return undefined;
  try {
    return schema.parse(JSON.parse(bytes.toString()));
  } catch (error) {
    throw new BlobError('storage_failed', `the record of the upload ${id} in the bucket is damaged; cancel it`, {
      cause: error,
    });
  }
}

/** Writes the record with a new revision and gives it. */
export async function writeRecord(
  { bucket, keys }: { readonly bucket: Bucket; readonly keys: Keys },
  id: string,
  record: UploadRecord,
): Promise<UploadRecord> {
  const written = { ...record, revision: randomBytes(8).toString('hex') };
  await bucket.putSmall(keys.upload(id), JSON.stringify(written));
  return written;
}
