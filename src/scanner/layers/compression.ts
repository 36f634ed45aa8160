import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { ByteSource } from '../../platform/streams.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

const PIECE = 256 * 1024;
const MAGIC_LENGTH = 4;

/** What the first bytes say; media types are only a hint and often wrong. */
export function compressionOf(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return 'zstd';
  return 'none';
}

/** The content without its compression, which the magic bytes tell. Errors of the decompressor come out of the iteration. */
export async function* decompressed(source: ByteSource): ByteSource {
  const iterator = source[Symbol.asyncIterator]();
  const start: Buffer[] = [];
  let length = 0;
  while (length < MAGIC_LENGTH) {
    const next = await iterator.next();
    if (next.done) break;
    start.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
    length += next.value.byteLength;
  }
  const head = Buffer.concat(start);
  const whole = rejoin(head, iterator);
  const compression = compressionOf(head);
  if (compression === 'none') {
    yield* whole;
    return;
  }
  const decompressor =
    compression === 'gzip' ? createGunzip({ chunkSize: PIECE }) : createZstdDecompress({ chunkSize: PIECE });
  // The callback's error is the one the iteration below throws.
  pipeline(Readable.from(whole, { objectMode: false, highWaterMark: PIECE }), decompressor, () => undefined);
  try {
    for await (const chunk of decompressor) yield chunk as Buffer;
  } finally {
    decompressor.destroy();
  }
}

async function* rejoin(head: Buffer, rest: AsyncIterator<Uint8Array>): ByteSource {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
