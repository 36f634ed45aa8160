import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { fixedClock } from '../platform/clock.ts';
import { BlobError, type BlobStore, putBlob } from './blob-store.ts';
import { createMemoryBlobStore } from './drivers/memory.ts';
import { watchBlobStore } from './watched.ts';

/** A store that works as long as `broken` says nothing. */
function storeThatBreaks() {
  const state: { broken?: BlobError } = {};
  const memory = createMemoryBlobStore({ clock: fixedClock(0) });
  const store: BlobStore = {
    ...memory,
    commit: (...upload) => (state.broken ? Promise.reject(state.broken) : memory.commit(...upload)),
  };
  return { state, memory, watched: watchBlobStore(store) };
}

const put = (store: BlobStore, content: string) =>
  putBlob(store, digestOf(content), Readable.from([Buffer.from(content)]));

it('says why nothing can be stored, until that works again, and leaves no blob behind by trying', async () => {
  const { state, memory, watched } = storeThatBreaks();
  expect(await watched.problem()).toBeUndefined();
  state.broken = new BlobError('storage_full', 'the disk is full');
  // Nobody has noticed yet.
  expect(await watched.problem()).toBeUndefined();
  await expect(put(watched.store, 'one')).rejects.toThrow('the disk is full');
  expect(await watched.problem()).toBe('the disk is full');
  delete state.broken;
  expect(await watched.problem()).toBeUndefined();
  expect(await memory.emptyTrash(1)).toBe(1);
});

it('takes no fault of a client for one of the storage', async () => {
  const { watched } = storeThatBreaks();
  const wrong = putBlob(watched.store, digestOf('other'), Readable.from([Buffer.from('content')]));
  await expect(wrong).rejects.toMatchObject({ code: 'digest_mismatch' });
  expect(await watched.problem()).toBeUndefined();
});
