import { createReadStream, createWriteStream } from 'node:fs';
import { access, constants, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CliError } from './exit.ts';

/** Throws `CliError('usage')` when there is no folder for a file to be written: before the work, in the words of who named it. */
export async function expectPlaceFor(path: string): Promise<void> {
  if (await isWrittenInto(path)) return;
  const folder = dirname(path);
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory()) throw new CliError('usage', `${path} cannot be written: there is no folder ${folder}`);
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new CliError('usage', `${path} cannot be written: nothing may be put into ${folder}`, { cause });
  });
}

/** Whether what is there, as a device or a pipe, is to be written into: a file in its place would take it away from everybody. */
export async function isWrittenInto(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && !info.isFile() && !info.isDirectory();
}

/**
 * Writes a file, readable by its owner only, that is there as a whole or not at all; into what is no file, as a device or a pipe, piece by
 * piece. Gives the number of bytes.
 */
export async function writeWhole(path: string, content: AsyncIterable<Uint8Array> | Iterable<string>): Promise<number> {
  await expectPlaceFor(path);
  if (await isWrittenInto(path)) {
    const target = createWriteStream(path);
    await pipeline(Readable.from(content), target);
    return target.bytesWritten;
  }
  // Of a link the file it leads to is replaced.
  const file = await realpath(path).catch(() => path);
  const part = `${file}.part`;
  try {
    const target = createWriteStream(part, { mode: 0o600, flush: true });
    await pipeline(Readable.from(content), target);
    await rename(part, file);
    return target.bytesWritten;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Gives a finished file its place, by name where it lies in the same folder; what is no file there gets its bytes. */
export async function moveWhole(from: string, to: string): Promise<void> {
  if (await isWrittenInto(to)) await pipeline(createReadStream(from), createWriteStream(to));
  else await rename(from, to);
}
