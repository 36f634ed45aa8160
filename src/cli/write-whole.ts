import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Writes a file, readable by its owner only, that is there as a whole or not at all. Gives its size in bytes. */
export async function writeWhole(path: string, content: AsyncIterable<Uint8Array> | Iterable<string>): Promise<number> {
  const part = `${path}.part`;
  try {
    const target = createWriteStream(part, { mode: 0o600, flush: true });
    await pipeline(Readable.from(content), target);
    await rename(part, path);
    return target.bytesWritten;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
