import { CodedError } from './errors.ts';

export class StreamError extends CodedError<'too_large'> {}

/** Anything that yields chunks of bytes: a Node stream, a web stream, an array of buffers. */
export type ByteSource = AsyncIterable<Uint8Array>;

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
