import { CodedError } from './errors.ts';

export class StreamError extends CodedError<'too_large'> {}

/** Anything that yields chunks of bytes: a Node stream, a web stream, an array of buffers. */
export interface ByteSource extends AsyncIterable<Uint8Array> {
  /** Nobody else holds on to the chunks: whoever reads them may `release` them. */
  readonly owned?: boolean;
}

/**
 * Gives the memory of a chunk back at once, which is empty from then on. Left to the garbage collector, the chunks of a few large
 * uploads call for a full collection every few dozen megabytes, which costs more than hashing them. Chunks that share their memory
 * with others are left alone.
 */
export function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0);
}

/** Reads a whole source into memory, at most `limit` bytes; more is a `StreamError('too_large')` that names `what`. */
export async function readBounded(source: ByteSource, limit: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > limit) throw new StreamError('too_large', `${what} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 && Buffer.isBuffer(chunks[0]) ? chunks[0] : Buffer.concat(chunks, size);
}
