import { close, fsync, open as openCallback, rename, writev } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from '../../platform/make-folder.ts';
import { syncPath } from '../../platform/sync-path.ts';

// Plain descriptors: they cost less than file handles, and may stay open until the process ends.
const openDescriptor = promisify(openCallback);
const syncDescriptor = promisify(fsync);
const writeDescriptor = promisify(writev);
const renameFile = promisify(rename);

/** Creates a folder with its parents and makes every new one durable. */
export async function ensureFolder(path: string): Promise<void> {
  const first = await makeFolder(path);
  if (first === undefined) return;
  // `first` is the topmost folder that was made: each new folder's entry lies in the folder above it.
  const top = dirname(first);
  for (let at = dirname(path); ; at = dirname(at)) {
    await syncPath(at);
    if (at === top || at === dirname(at)) return;
  }
}

/**
 * Puts synced files under their final names, over whatever was there, and makes that durable. Folders are made when they are needed and
 * kept open; one that was removed since is made again after the failure.
 */
export function createPlacer(): (from: string, to: string) => Promise<void> {
  const folders = new Map<string, Promise<number>>();

  function opened(path: string): Promise<number> {
    const opening = folders.get(path) ?? makeAndOpen(path);
    folders.set(path, opening);
    return opening;
  }

  return async (from, to) => {
    const folder = dirname(to);
    const opening = opened(folder);
    try {
      const descriptor = await opening;
      await renameFile(from, to);
      await syncDescriptor(descriptor);
    } catch (error) {
      // Only one of several that fail together closes it.
      if (folders.get(folder) === opening && folders.delete(folder))
        opening.then((descriptor) => close(descriptor, () => undefined)).catch(() => undefined);
      throw error;
    }
  };
}

async function makeAndOpen(path: string): Promise<number> {
  await ensureFolder(path);
  return openDescriptor(path, 'r');
}

/** Bytes gathered before they are written: few system calls without holding much. */
const GATHERED = 256 * 1024;

/**
 * Writes chunks in large pieces from `position` on: one piece is being written while the next is gathered. `written` is told of each
 * chunk that is of no more use to it.
 */
export function gatheringWriter(
  descriptor: number,
  position: number,
  written: (chunk: Uint8Array) => void = () => undefined,
) {
  let at = position;
  let chunks: Uint8Array[] = [];
  let size = 0;
  let underWay: Promise<void> = Promise.resolve();

  async function startWriting(): Promise<void> {
    await underWay;
    const piece = chunks;
    underWay = writeAll(descriptor, piece, at).then(() => piece.forEach(written));
    // Seen at the next await; until then it must not count as unhandled.
    underWay.catch(() => undefined);
    at += size;
    chunks = [];
    size = 0;
  }

  return {
    async write(chunk: Uint8Array): Promise<void> {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= GATHERED) await startWriting();
    },
    async flush(): Promise<void> {
      if (size > 0) await startWriting();
      await underWay;
    },
  };
}

/** `writev` may write less than asked; goes on until everything is on its way to the disk. */
async function writeAll(descriptor: number, chunks: readonly Uint8Array[], position: number): Promise<void> {
  let at = position;
  let rest = chunks;
  while (rest.length > 0) {
    const { bytesWritten } = await writeDescriptor(descriptor, rest as Uint8Array[], at);
    at += bytesWritten;
    rest = withoutFirst(rest, bytesWritten);
  }
}

function withoutFirst(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [index, chunk] of chunks.entries()) {
    if (left < chunk.byteLength) return [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.byteLength;
  }
  return [];
}
