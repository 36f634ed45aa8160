import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, opendir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestFrom } from '../oci/digest.ts';
import { writeWholeFile } from '../platform/whole-file.ts';
import type { BackupFile } from './document.ts';

const READ_SIZE = 1024 * 1024;

/** What a file holds. */
export async function describeFile(folder: string, path: string): Promise<BackupFile> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(join(folder, path), { highWaterMark: READ_SIZE })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).byteLength;
  }
  return { path, digest: digestFrom('sha256', hash), size };
}

/** Copies a file to the same place in another folder, whole or not at all, durably; readable by its owner only. */
export async function copyFile(from: string, to: string, path: string, name = path): Promise<BackupFile> {
  const target = join(to, name);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(join(from, path), { highWaterMark: READ_SIZE })) {
      hash.update(chunk as Buffer);
      yield chunk as Buffer;
    }
  }
  const size = await writeWholeFile(target, hashed(), { durable: true });
  return { path: name, digest: digestFrom('sha256', hash), size };
}

/** Plain files of a folder and below, as paths from `root`; none when it is not there. */
export async function* filesBelow(root: string, path: string): AsyncGenerator<string> {
  const folder = await opendir(join(root, path)).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  for await (const entry of folder ?? []) {
    const child = `${path}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(root, child);
    else if (entry.isFile()) yield child;
  }
}
