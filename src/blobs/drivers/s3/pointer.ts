import { z } from 'zod';
import type { Digest } from '../../../oci/digest.ts';
import type { Clock } from '../../../platform/clock.ts';
import { BlobError } from '../../blob-store.ts';
import type { Bucket } from './bucket.ts';
import { isObjectName, type Keys } from './keys.ts';

/** Which object holds a blob. Written when the object is complete and verified, in one request: a blob of any size appears at once. */
export interface Pointer {
  /** A name for `Keys.object`. */
  readonly object: string;
  readonly size: number;
}

export interface Pointers {
  /** From the store. */
  read(digest: Digest): Promise<Pointer | undefined>;
  /** As it was a short while ago: where it pointed then, the bytes still are. */
  recall(digest: Digest): Promise<Pointer | undefined>;
  write(digest: Digest, pointer: Pointer): Promise<void>;
  remove(digest: Digest): Promise<void>;
}

const schema = z.object({ object: z.string().refine(isObjectName), size: z.number().int().nonnegative() });
const LIMIT = 4096;
const RECALLED_MS = 60_000;
const RECALLED = 10_000;

export function createPointers(deps: {
  readonly bucket: Bucket;
  readonly keys: Keys;
  readonly clock: Clock;
}): Pointers {
  const { bucket, keys, clock } = deps;
  const recent = new Map<Digest, { readonly pointer: Pointer; readonly at: number }>();

  function remember(digest: Digest, pointer: Pointer): void {
    recent.delete(digest);
    recent.set(digest, { pointer, at: clock.now() });
    const [oldest] = recent.keys();
    if (recent.size > RECALLED && oldest !== undefined) recent.delete(oldest);
  }

  async function read(digest: Digest): Promise<Pointer | undefined> {
    const bytes = await bucket.getSmall(keys.pointer(digest), LIMIT);
    const pointer = bytes && parsePointer(bytes, digest);
    if (pointer) remember(digest, pointer);
    else recent.delete(digest);
    return pointer;
  }

  return {
    read,
    async recall(digest) {
      const known = recent.get(digest);
      return known && clock.now() - known.at < RECALLED_MS ? known.pointer : read(digest);
    },
    async write(digest, pointer) {
      recent.delete(digest);
      await bucket.putSmall(keys.pointer(digest), JSON.stringify(pointer));
      remember(digest, pointer);
    },
    async remove(digest) {
      recent.delete(digest);
      await bucket.delete(keys.pointer(digest));
      recent.delete(digest);
    },
  };
}

function parsePointer(bytes: Buffer, digest: Digest): Pointer {
  try {
    return schema.parse(JSON.parse(bytes.toString()));
  } catch (error) {
    throw new BlobError(
      'storage_failed',
      `what the bucket holds for ${digest} was not written by Breakwater; push the content again`,
      { cause: error },
    );
  }
}
