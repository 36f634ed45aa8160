import type { ByteSource } from '../../platform/streams.ts';
import { ScanError } from '../errors.ts';
import { freePiece, inflated } from './inflate.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

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

/** Pieces of bytes that can be given back one by one, once nobody looks at them. */
export interface PieceSource extends ByteSource {
  /** Known at the end: true when bytes come behind what is compressed, which belong to nothing. */
  readonly trailing: boolean;
  free(piece: Uint8Array): void;
}

/**
 * The content without its compression, which the magic bytes tell, at most `limit` bytes of it. Errors of the decompressor
 * come out of the iteration, and `ScanError`: layer_unsupported for compressions that OCI layers never have,
 * limit_exceeded.
 */
export function decompressed(source: ByteSource, limit: number): PieceSource {
  let ours = false;
  let trailing = false;
  async function* plain(): AsyncGenerator<Uint8Array> {
    const iterator = source[Symbol.asyncIterator]();
    const head = await firstBytes(iterator);
    const compression = compressionOf(head);
    if (compression === 'bzip2' || compression === 'xz') {
      await iterator.return?.();
      throw new ScanError('layer_unsupported', `it is compressed with ${compression}; only gzip and zstd are read`);
    }
    const whole = rejoin(head, iterator);
    ours = compression !== 'none';
    let size = 0;
    for await (const piece of compression === 'none' ? whole : inflated(compression, whole, () => (trailing = true))) {
      size += piece.byteLength;
      if (size > limit)
        throw new ScanError('limit_exceeded', `it has more than ${limit} bytes without its compression`);
      yield piece;
    }
  }
  return {
    [Symbol.asyncIterator]: plain,
    get trailing() {
      return trailing;
    },
    free(piece) {
      if (ours) freePiece(piece);
    },
  };
}

async function firstBytes(iterator: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const start: Buffer[] = [];
  let length = 0;
  while (length < MAGIC_LENGTH) {
    const next = await iterator.next();
    if (next.done) break;
    start.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
    length += next.value.byteLength;
  }
  const [only] = start;
  return start.length === 1 && only ? only : Buffer.concat(start);
}

async function* rejoin(head: Buffer, rest: AsyncIterator<Uint8Array>): ByteSource {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
