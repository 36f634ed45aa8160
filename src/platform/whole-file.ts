import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { syncPath } from './sync-path.ts';

/** Longer chains of links lead nowhere, says every system. */
const MOST_LINKS = 40;

/** Whether what is there, as a device or a pipe, is to be written into: a file in its place would take it away from everybody. */
export async function isWrittenInto(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && !info.isFile() && !info.isDirectory();
}

/**
 * Writes a file, readable by its owner only, that is there as a whole or not at all, also after a power cut: with `durable` the new one for
 * certain. Of a link the file is replaced that it leads to; what is no file, as a device or a pipe, is written into. Gives the number of bytes.
 */
export async function writeWholeFile(
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<string | Uint8Array>,
  options: { readonly durable?: boolean } = {},
): Promise<number> {
  if (!(await isWrittenInto(path))) return makeWholeFile(path, (part) => writeNew(part, content), options);
  const target = createWriteStream(path);
  await pipeline(Readable.from(content), target);
  return target.bytesWritten;
}

/** The same for what can only be made in a file: `make` is given the place of a new one, beside that which it becomes. */
export async function makeWholeFile<Result>(
  path: string,
  make: (part: string) => Promise<Result>,
  { durable = false }: { readonly durable?: boolean } = {},
): Promise<Result> {
  if (await isWrittenInto(path)) return makeInto(path, make);
  const file = await behindLinks(path);
  const part = `${file}.part`;
  // One that a power cut left may be anything.
  await rm(part, { force: true });
  try {
    const result = await make(part);
    await syncPath(part);
    await rename(part, file);
    if (durable) await syncPath(dirname(file));
    return result;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Gives a finished file its final name, over what is there, and makes both durable. Both lie in the same file system. */
export async function placeFile(from: string, to: string): Promise<void> {
  await syncPath(from);
  const file = await behindLinks(to);
  await rename(from, file);
  await syncPath(dirname(file));
}

async function writeNew(
  part: string,
  content: AsyncIterable<Uint8Array> | Iterable<string | Uint8Array>,
): Promise<number> {
  const target = createWriteStream(part, { mode: 0o600, flags: 'wx' });
  await pipeline(Readable.from(content), target);
  return target.bytesWritten;
}

async function makeInto<Result>(path: string, make: (part: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-file-'));
  try {
    const part = join(folder, 'part');
    const result = await make(part);
    await pipeline(createReadStream(part), createWriteStream(path));
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The file that links lead to, also one that is not there yet. */
async function behindLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links += 1) {
    const real = await realpath(at).catch(() => undefined);
    if (real !== undefined) return real;
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) return at;
    at = resolve(dirname(at), target);
  }
  return at;
}
