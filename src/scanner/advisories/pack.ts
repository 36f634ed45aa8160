import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { AdvisoryDatabaseError } from './errors.ts';

/** An advisory database is smaller than this; what unpacks to more is refused. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024 * 1024;
const ZSTD_MAGIC = 0xfd2fb528;
const LEVEL = 12;
const WINDOW_LOG = 23;
/** Files packed elsewhere may use a wider window, up to that of `zstd --long`. */
const MAX_WINDOW_LOG = 27;

/** Packs a database file with zstd, as it is shipped and moved around. */
export async function packDatabase(from: string, to: string): Promise<void> {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_windowLog]: WINDOW_LOG };
  await pipeline(createReadStream(from), createZstdCompress({ params }), createWriteStream(to));
}

/**
 * Copies a database file, packed or not, to `to` (unpacked, which must not exist) and makes it durable. `name` is what messages
 * call it. Throws `AdvisoryDatabaseError` for what cannot be unpacked.
 */
export async function unpackDatabase(from: string, to: string, name = from): Promise<void> {
  const packed = await isZstd(from);
  let bytes = 0;
  async function* limit(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > MAX_UNPACKED_BYTES) {
        throw new AdvisoryDatabaseError('not_a_database', `${name} unpacks to more than ${MAX_UNPACKED_BYTES} bytes`);
      }
      yield chunk;
    }
  }
  const source: Readable = createReadStream(from);
  const target = createWriteStream(to, { flags: 'wx', flush: true });
  const params = { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG };
  if (packed) await pipeline(source, createZstdDecompress({ params }), limit, target);
  else await pipeline(source, limit, target);
}

async function isZstd(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const head = Buffer.alloc(4);
    const { bytesRead } = await handle.read(head, 0, 4, 0);
    return bytesRead === 4 && head.readUInt32LE(0) === ZSTD_MAGIC;
  } finally {
    await handle.close();
  }
}
