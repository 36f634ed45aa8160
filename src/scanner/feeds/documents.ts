import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../platform/errors.ts';
import { FeedError } from './errors.ts';

const MAX_DEPTH = 4;

/**
 * The paths of the files below a folder whose names match, in the order of their names: a folder of documents may hold
 * hundreds of thousands, so the list is never made. Fails with `FeedError` when the folder cannot be read.
 */
export async function* walkDocuments(folder: string, name: RegExp, depth: number = MAX_DEPTH): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new FeedError('unreadable', `cannot read folder ${folder}: ${messageOf(cause)}`, { cause });
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 1) yield* walkDocuments(path, name, depth - 1);
    else if (entry.isFile() && name.test(entry.name)) yield path;
  }
}

/** The bytes of a document of at most `limit` bytes; undefined when it has more or cannot be read. */
export async function readDocument(path: string, limit: number): Promise<Buffer | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || info.size > limit) return undefined;
  return readFile(path).catch(() => undefined);
}
