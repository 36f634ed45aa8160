import { expect } from 'vitest';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { readBounded } from '../../src/platform/streams.ts';

const LIMIT = 64 * 1024 * 1024;

/** The store has this content under its digest. */
export async function expectContent(store: BlobStore, content: Buffer): Promise<void> {
  const stream = await store.open(digestOf(content));
  const read = stream && (await readBounded(stream, LIMIT, 'the blob'));
  expect(read?.equals(content)).toBe(true);
}

/** Content as it comes over a line. */
export async function* pieces(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 65_536) {
    await Promise.resolve();
    yield content.subarray(at, at + 65_536);
  }
}
