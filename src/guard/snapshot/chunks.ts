import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { messageOf } from '../../platform/errors.ts';
import { SnapshotError } from './errors.ts';

/** A ConfigMap may have 1 MiB, and etcd takes requests of 1.5 MiB with its bytes as base64. */
const CHUNK_BYTES = 900_000;
/** Largest part as JSON. */
export const LARGEST_PART = 128 * 1024 * 1024;
/** Most pieces a part may have. */
const MOST_CHUNKS = 100;

/** A piece of the compressed text, named by its content: what has not changed needs no writing, and a torn write no reading. */
export interface Chunk {
  readonly name: string;
  readonly bytes: Buffer;
}

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Compresses a part and cuts it. Throws `SnapshotError('too_large')`. */
export async function cut(text: string): Promise<Chunk[]> {
  if (text.length > LARGEST_PART) throw tooLarge();
  const packed = await compress(text, { level: 6 });
  if (packed.byteLength > MOST_CHUNKS * CHUNK_BYTES) throw tooLarge();
  const chunks: Chunk[] = [];
  for (let start = 0; start < packed.byteLength; start += CHUNK_BYTES) {
    const bytes = packed.subarray(start, start + CHUNK_BYTES);
    chunks.push({ name: nameOf(bytes), bytes });
  }
  return chunks;
}

/** True for so many pieces that what is in them cannot be within the bound: compressing never makes much more of a text. */
export function areTooMany(pieces: number, largest: number): boolean {
  return (pieces - 1) * CHUNK_BYTES > largest * 1.01;
}

/**
 * Puts a part together again; its pieces are checked against their names. Throws `SnapshotError`: `damaged`, or `too_large`
 * when it has more than `largest` bytes.
 */
export async function join(chunks: readonly Chunk[], largest = LARGEST_PART): Promise<unknown> {
  for (const { name, bytes } of chunks)
    if (nameOf(bytes) !== name)
      throw new SnapshotError('damaged', `piece ${name} has another content than it was written with`);
  try {
    const text = await decompress(Buffer.concat(chunks.map(({ bytes }) => bytes)), { maxOutputLength: largest });
    return JSON.parse(text.toString('utf8'));
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw new SnapshotError('damaged', `a part cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function nameOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

function tooLarge(): SnapshotError {
  return new SnapshotError('too_large', 'a part of the snapshot is too large to be kept in the cluster');
}
