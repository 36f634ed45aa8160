import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../platform/errors.ts';
import { BlobError, type ByteRange } from '../../blob-store.ts';
import type { Bucket } from './bucket.ts';

/** Times a reply may break off without having brought anything. */
const ATTEMPTS = 4;
const PAUSE_MS = 200;
const READ_AHEAD = 256 * 1024;

/**
 * The bytes of an object that never changes. A reply that breaks off is asked for again from where it stopped. Undefined when
 * there is no such object; a reader of what ends too early fails.
 */
export async function openObject(bucket: Bucket, key: string, range: ByteRange): Promise<Readable | undefined> {
  const opened = await bucket.get(key, range);
  if (!opened) return undefined;
  const stream = Readable.from(goOn(bucket, key, range, opened), { objectMode: false, highWaterMark: READ_AHEAD });
  // One that is never read never starts the generator, which would end it.
  return stream.once('close', () => opened.destroy());
}

async function* goOn(
  bucket: Bucket,
  key: string,
  { first, last }: ByteRange,
  opened: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let at = first;
  let body: AsyncIterable<Uint8Array> | undefined = opened;
  for (let attempt = 1; ; attempt += 1) {
    const before = at;
    let failure: unknown;
    try {
      for await (const chunk of body) {
        at += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      failure = error;
    }
    if (at > last) return;
    if (at > before) attempt = 0;
    const why = failure === undefined ? 'the reply ended early' : messageOf(failure);
    if (attempt >= ATTEMPTS) throw broken(key, why);
    await sleep(PAUSE_MS * attempt);
    body = await bucket.get(key, { first: at, last });
    if (!body) throw broken(key, 'it is gone');
  }
}

function broken(key: string, why: string): BlobError {
  return new BlobError('storage_failed', `the object ${key} could not be read to its end: ${why}`);
}
