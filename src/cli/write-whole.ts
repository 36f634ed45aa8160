import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isWrittenInto, writeWholeFile } from '../platform/whole-file.ts';
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

/** Writes a file that somebody named, whole or not at all, with the same errors. Gives the number of bytes. */
export async function writeWhole(path: string, content: AsyncIterable<Uint8Array> | Iterable<string>): Promise<number> {
  await expectPlaceFor(path);
  return writeWholeFile(path, content);
}
