import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { ByteSource } from '../../platform/streams.ts';
import { ScanError } from '../errors.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

const PIECE = 256 * 1024;
const MAGIC_LENGTH = 4;

/** What the first bytes say; media types are only a hint and often wrong. */
export function compressionOf(start: Uint8Array): Compression {
  const [a, b, c, d] = start;
  if (a === 0x1f && b === 0x8b) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  // A frame to be skipped, with which parallel and seekable writers of zstd begin (RFC 8878, section 3.1.2).
  if (a !== undefined && a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  if (a === 0x42 && b === 0x5a && c === 0x68) return 'bzip2';
  if (a === 0xfd && b === 0x37 && c === 0x7a && d === 0x58) return 'xz';
  return 'none';
}

/**
 * The content without its compression, which the magic bytes tell, at most `limit` bytes of it. Errors of the decompressor
 * come out of the iteration, and `ScanError`: layer_unsupported for compressions that OCI layers never have,
 * limit_exceeded.
 */
export async function* decompressed(source: ByteSource, limit: number): ByteSource {
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
  const compression = compressionOf(head);
  if (compression === 'bzip2' || compression === 'xz') {
    await iterator.return?.();
    throw new ScanError('layer_unsupported', `it is compressed with ${compression}; only gzip and zstd are read`);
  }
  let size = 0;
  for await (const piece of plain(compression, rejoin(head, iterator))) {
    size += piece.byteLength;
    if (size > limit) throw new ScanError('limit_exceeded', `it has more than ${limit} bytes without its compression`);
    yield piece;
  }
}

async function* plain(compression: 'none' | 'gzip' | 'zstd', source: ByteSource): ByteSource {
  if (compression === 'none') {
    yield* source;
    return;
  }
  const decompressor =
    compression === 'gzip' ? createGunzip({ chunkSize: PIECE }) : createZstdDecompress({ chunkSize: PIECE });
  // The callback's error is the one the iteration below throws.
  pipeline(Readable.from(source, { objectMode: false, highWaterMark: PIECE }), decompressor, () => undefined);
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
