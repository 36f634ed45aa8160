import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { digestOf } from '../oci/digest.ts';
import { BlobError, type BlobStore, putBlob } from './blob-store.ts';

const PROBE_BYTES = 32;

/**
 * A store that remembers when something could not be stored. `problem` gives why, in one sentence, until storing works again: it tries by itself
 * with a few bytes that go into the trash.
 */
export function watchBlobStore(store: BlobStore): {
  readonly store: BlobStore;
  readonly problem: () => Promise<string | undefined>;
} {
  let trouble = false;

  async function noting<Result>(work: Promise<Result>): Promise<Result> {
    try {
      const result = await work;
      trouble = false;
      return result;
    } catch (error) {
      if (isTrouble(error)) trouble = true;
      throw error;
    }
  }

  async function problem(): Promise<string | undefined> {
    if (!trouble) return undefined;
    try {
      await storeAndDelete(store);
      trouble = false;
      return undefined;
    } catch (error) {
      if (isTrouble(error)) return error.message;
      throw error;
    }
  }

  return {
    store: {
      ...store,
      append: (...upload) => noting(store.append(...upload)),
      commit: (...upload) => noting(store.commit(...upload)),
    },
    problem,
  };
}

/** Bytes that nobody else has. */
async function storeAndDelete(store: BlobStore): Promise<void> {
  const content = randomBytes(PROBE_BYTES);
  const digest = digestOf(content);
  await putBlob(store, digest, Readable.from([content]));
  await store.delete(digest);
}

function isTrouble(error: unknown): error is BlobError {
  return error instanceof BlobError && (error.code === 'storage_failed' || error.code === 'storage_full');
}
