import { createHash, randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { type fixedClock, fixedClock as newClock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { type ByteSource, readBounded } from '../platform/streams.ts';
import { BlobError, type BlobStore, putBlob } from './blob-store.ts';

type TestClock = ReturnType<typeof fixedClock>;

const START = 1_700_000_000_000;
const LIMIT = 64 * 1024 * 1024;

/** What every `BlobStore` driver must do; each driver's test calls this with a way to make an empty store. */
export function describeBlobStore(name: string, create: (clock: TestClock) => Promise<BlobStore>): void {
  describe(`BlobStore: ${name}`, () => {
    let clock: TestClock;
    let store: BlobStore;
    beforeEach(async () => {
      clock = newClock(START);
      store = await create(clock);
    });

    async function read(content: Uint8Array, range?: { first: number; last: number }) {
      const stream = await store.open(digestOf(content), range);
      return stream && readBounded(stream, LIMIT, 'the blob');
    }

    describe('uploads', () => {
      it('has received nothing at first', async () => expect(await store.uploadSize(newId())).toBe(0));

      it.each(['../../etc/passwd', '', 'A'.repeat(36), `${newId()}/x`, newId().toUpperCase()])(
        'refuses the id %j',
        async (id) => {
          await expectCode(store.append(id, 0, chunks('x')), 'upload_id_invalid');
          await expectCode(store.commit(id, digestOf('')), 'upload_id_invalid');
          await expectCode(store.cancel(id), 'upload_id_invalid');
          await expectCode(store.uploadSize(id), 'upload_id_invalid');
        },
      );

      it('becomes a blob after one append', async () => {
        const content = randomBytes(3_000_000);
        const id = newId();
        expect(await store.append(id, 0, chunks(content))).toBe(content.length);
        expect(await store.commit(id, digestOf(content))).toEqual({ size: content.length });
        expect(await store.stat(digestOf(content))).toEqual({ size: content.length });
        expectBytes(await read(content), content);
        expect(await store.uploadSize(id)).toBe(0);
      });

      it('becomes a blob after many appends of odd sizes', async () => {
        const content = randomBytes(1_500_001);
        const id = newId();
        let offset = 0;
        for (const size of [1, 65_535, 700_000, 0, 734_465]) {
          offset = await store.append(id, offset, pieces(content.subarray(offset, offset + size), 10_007));
          expect(await store.uploadSize(id)).toBe(offset);
        }
        await store.commit(id, digestOf(content));
        expectBytes(await read(content), content);
      });

      it('becomes the empty blob when nothing was received', async () => {
        expect(await store.commit(newId(), digestOf(''))).toEqual({ size: 0 });
        expect(await store.stat(digestOf(''))).toEqual({ size: 0 });
        expect(await read(Buffer.alloc(0))).toEqual(Buffer.alloc(0));
      });

      it('knows sha512, announced or not', async () => {
        for (const hint of ['sha512', 'sha256', undefined] as const) {
          const content = randomBytes(100_000);
          const digest = digestOf(content, 'sha512');
          const id = newId();
          await store.append(id, 0, chunks(content.subarray(0, 10)), hint);
          await store.append(id, 10, chunks(content.subarray(10)), hint);
          expect(await store.commit(id, digest)).toEqual({ size: content.length });
          expect(await store.stat(digest)).toEqual({ size: content.length });
        }
      });

      it('refuses bytes that do not continue where it stands, and stays as it was', async () => {
        const id = newId();
        await store.append(id, 0, chunks('hello'));
        for (const offset of [0, 4, 6, -1, Number.NaN])
          await expectCode(store.append(id, offset, chunks('x')), 'upload_offset');
        await expectCode(store.append(newId(), 1, chunks('x')), 'upload_offset');
        await store.append(id, 5, chunks(' world'));
        expect(await store.commit(id, digestOf('hello world'))).toEqual({ size: 11 });
      });

      it('refuses content of another digest; nothing becomes visible and the upload stays', async () => {
        const id = newId();
        await store.append(id, 0, chunks('hello'));
        await expectCode(store.commit(id, digestOf('other')), 'digest_mismatch');
        await expectCode(store.commit(id, digestOf('other', 'sha512')), 'digest_mismatch');
        expect(await store.stat(digestOf('other'))).toBeUndefined();
        expect(await store.stat(digestOf('hello'))).toBeUndefined();
        await store.append(id, 5, chunks('!'));
        expect(await store.commit(id, digestOf('hello!'))).toEqual({ size: 6 });
      });

      it('keeps what had arrived when the source breaks off', async () => {
        const content = randomBytes(2_000_000);
        const id = newId();
        await expectCode(store.append(id, 0, breaking(content.subarray(0, 1_234_567))), 'upload_interrupted');
        expect(await store.uploadSize(id)).toBe(1_234_567);
        await store.append(id, 1_234_567, chunks(content.subarray(1_234_567)));
        await store.commit(id, digestOf(content));
        expectBytes(await read(content), content);
      });

      it('lets only one append work at a time', async () => {
        const id = newId();
        const gate = Promise.withResolvers<void>();
        const first = store.append(id, 0, gated('slow', gate.promise));
        await sleep(5);
        await expectCode(store.append(id, 0, chunks('quick')), 'upload_busy');
        await expectCode(store.commit(id, digestOf('slow')), 'upload_busy');
        await expectCode(store.cancel(id), 'upload_busy');
        gate.resolve();
        expect(await first).toBe(4);
        expect(await store.commit(id, digestOf('slow'))).toEqual({ size: 4 });
      });

      it('is gone after cancel', async () => {
        const id = newId();
        await store.append(id, 0, chunks('hello'));
        await store.cancel(id);
        expect(await store.uploadSize(id)).toBe(0);
        await store.cancel(id);
        await expectCode(store.commit(id, digestOf('hello')), 'digest_mismatch');
      });

      it('takes the same content from many at once', async () => {
        const content = randomBytes(500_000);
        const sizes = await Promise.all(
          Array.from({ length: 12 }, async () => putBlob(store, digestOf(content), pieces(content, 65_536))),
        );
        expect(sizes).toEqual(Array.from({ length: 12 }, () => ({ size: content.length })));
        expectBytes(await read(content), content);
      });

      it('stores many different ones at once', async () => {
        const contents = Array.from({ length: 40 }, (_, at) => randomBytes(1000 * at));
        await Promise.all(contents.map((content) => putBlob(store, digestOf(content), chunks(content))));
        for (const content of contents) expectBytes(await read(content), content);
      });

      it('putBlob leaves nothing behind when it fails', async () => {
        await expectCode(putBlob(store, digestOf('a'), chunks('b')), 'digest_mismatch');
        await expectCode(putBlob(store, digestOf('a'), breaking(Buffer.from('a'))), 'upload_interrupted');
        expect(await store.stat(digestOf('a'))).toBeUndefined();
        expect(await store.cancelStale(Number.MAX_SAFE_INTEGER)).toBe(0);
      });

      it('forgets stale uploads only', async () => {
        const id = newId();
        await store.append(id, 0, chunks('hello'));
        expect(await store.cancelStale(0)).toBe(0);
        expect(await store.uploadSize(id)).toBe(5);
        expect(await store.cancelStale(Number.MAX_SAFE_INTEGER)).toBe(1);
        expect(await store.uploadSize(id)).toBe(0);
      });
    });

    describe('blobs', () => {
      const content = randomBytes(2_345_678);
      beforeEach(async () => {
        await putBlob(store, digestOf(content), chunks(content));
      });

      it('does not know what was never stored', async () => {
        expect(await store.stat(digestOf('never'))).toBeUndefined();
        expect(await store.open(digestOf('never'))).toBeUndefined();
        expect(await store.delete(digestOf('never'))).toBe(false);
      });

      it.each([
        [0, 0],
        [0, content.length - 1],
        [1_000_000, 1_500_000],
        [content.length - 1, content.length - 1],
      ])('reads the bytes %d to %d', async (first, last) => {
        expectBytes(await read(content, { first, last }), content.subarray(first, last + 1));
      });

      it.each([
        [0, content.length],
        [-1, 3],
        [5, 4],
        [0.5, 2],
        [content.length, content.length],
      ])('refuses the range %d to %d', async (first, last) => {
        await expectCode(store.open(digestOf(content), { first, last }), 'range_invalid');
      });

      it('goes on reading what is deleted meanwhile; a new reader finds nothing', async () => {
        const stream = await store.open(digestOf(content));
        expect(await store.delete(digestOf(content))).toBe(true);
        expect(await store.stat(digestOf(content))).toBeUndefined();
        expect(await store.open(digestOf(content))).toBeUndefined();
        expectBytes(stream && (await readBounded(stream, LIMIT, 'the blob')), content);
      });

      it('can be stored again after deletion and deleted again', async () => {
        for (let round = 0; round < 3; round += 1) {
          expect(await store.delete(digestOf(content))).toBe(true);
          clock.advance(1);
          await putBlob(store, digestOf(content), chunks(content));
          expectBytes(await read(content), content);
        }
        expect(await store.emptyTrash(START + 2)).toBe(2);
        expect(await store.emptyTrash(START + 2)).toBe(0);
        expectBytes(await read(content), content);
      });

      it('is the same content for a connection, when it is sent directly', async () => {
        const { openToSend } = store;
        if (!openToSend) return;
        const large = Buffer.from(new Uint8Array(2_000_003).map((_, at) => at % 251));
        await putBlob(store, digestOf(large), chunks(large));
        for (const [first, last] of [
          [0, large.length - 1],
          [0, 0],
          [524_288, 1_048_575],
          [700_001, 1_999_999],
        ] as const) {
          const received: Buffer[] = [];
          // Slower than the disk, and keeps nothing but copies: the pieces are used again.
          const sink = new Writable({
            highWaterMark: 1,
            write: (piece: Buffer, _encoding, done) => {
              received.push(Buffer.from(piece));
              setImmediate(done);
            },
          });
          const send = await openToSend(digestOf(large), { first, last });
          await send?.(sink);
          expectBytes(Buffer.concat(received), large.subarray(first, last + 1));
        }
        expect(await openToSend(digestOf('never stored'), { first: 0, last: 0 })).toBeUndefined();
        expect(await openToSend(digestOf(large), { first: 0, last: large.length })).toBeUndefined();
      });

      it('stops sending when the connection closes', async () => {
        const { openToSend } = store;
        if (!openToSend) return;
        const large = Buffer.alloc(3_000_000, 'x');
        await putBlob(store, digestOf(large), chunks(large));
        let seen = 0;
        const sink = new Writable({
          write(piece: Buffer, _encoding, done) {
            seen += piece.byteLength;
            done();
            this.destroy();
          },
        });
        const send = await openToSend(digestOf(large), { first: 0, last: large.length - 1 });
        await expect(send?.(sink)).rejects.toMatchObject({ code: 'receiver_gone' });
        expect(seen).toBeLessThan(large.length);
      });

      it('is the same content for a reader with a path, when there is one', async () => {
        const path = store.localPath?.(digestOf(content));
        if (path === undefined) return;
        const { readFile } = await import('node:fs/promises');
        expect(
          createHash('sha256')
            .update(await readFile(path))
            .digest('hex'),
        ).toBe(digestOf(content).slice(7));
      });
    });
  });
}

/** A source of one chunk. */
export async function* chunks(content: Uint8Array | string): ByteSource & AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield typeof content === 'string' ? Buffer.from(content) : content;
}

async function* pieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += size) {
    await Promise.resolve();
    yield content.subarray(at, at + size);
  }
}

async function* breaking(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* pieces(content, 100_000);
  throw new Error('connection reset');
}

async function* gated(content: string, gate: Promise<void>): AsyncGenerator<Uint8Array> {
  await gate;
  yield Buffer.from(content);
}

/** Compares without the matcher's own walk over millions of elements. */
function expectBytes(actual: Buffer | undefined, expected: Uint8Array): void {
  expect(actual?.length).toBe(expected.length);
  expect(actual?.equals(expected)).toBe(true);
}

async function expectCode(work: Promise<unknown>, code: BlobError['code']): Promise<void> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(BlobError);
  expect((failure as BlobError).code).toBe(code);
}
