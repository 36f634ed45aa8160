import { createWriteStream } from 'node:fs';
import { access, constants, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CliError } from './exit.ts';

/** Throws `CliError('usage')` when there is no folder for a file to be written: before the work, in the words of who named it. */
export async function expectPlaceFor(path: string): Promise<void> {
  const folder = dirname(path);
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory()) throw new CliError('usage', `${path} cannot be written: there is no folder ${folder}`);
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new CliError('usage', `${path} cannot be written: nothing may be put into ${folder}`, { cause });
  });
}

/** Writes a file, readable by its owner only, that is there as a whole or not at all. Gives its size in bytes. */
export async function writeWhole(path: string, content: AsyncIterable<Uint8Array> | Iterable<string>): Promise<number> {
  await expectPlaceFor(path);
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
