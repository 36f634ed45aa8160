import { createHash, type Hash } from 'node:crypto';
import { close, closeSync, constants, createReadStream, fstatSync, fsync, open as openCallback } from 'node:fs';
import { access, link, lstat, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { algorithmOf, type Digest, type DigestAlgorithm, digestFrom } from '../../oci/digest.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { type ByteSource, release } from '../../platform/streams.ts';
import {
  BlobError,
  type BlobStore,
  type ByteRange,
  busyError,
  checkRange,
  checkUploadId,
  mismatchError,
  offsetError,
} from '../blob-store.ts';
import { createPlacer, ensureFolder, gatheringWriter } from './durable.ts';
import { layoutOf, trashedAt } from './layout.ts';
import { readInto } from './read-into.ts';
import { createFileSender } from './send-file.ts';

/** Reads of blobs go to the disk in pieces of this size. */
const READ_SIZE = 1024 * 1024;
/** Running hashes kept for uploads under way; one that is pushed out is hashed again from disk when it goes on. */
const HASHES_KEPT = 4096;

/** Files of uploads kept open between requests. */
const FILES_KEPT = 256;

/** What this process knows of an upload: the hash of its first `size` bytes, all of which are in the file. */
interface Progress {
  readonly algorithm: DigestAlgorithm;
  readonly hash: Hash;
  size: number;
  /** The file, while it is kept open. */
  descriptor?: number | undefined;
}

// Plain descriptors: streams over them are faster than over file handles. What the kernel knows of an open file (fstat) it tells without
// asking the disk, so that waking another thread for it would take longer.
const openDescriptor = promisify(openCallback);
const closeDescriptor = promisify(close);
const syncDescriptor = promisify(fsync);

/**
 * Blobs as files below `root`. A blob is hashed while it is written and only re-read when an upload goes on after a
 * restart; it is synced, moved under its final name and its folder synced before `commit` returns. One process at a
 * time may own a root. Throws `BlobError('storage_failed')` when the root cannot be written to.
 */
export async function openFilesystemBlobStore(options: {
  readonly root: string;
  readonly clock: Clock;
}): Promise<BlobStore> {
  const layout = layoutOf(options.root);
  const progress = new Map<string, Progress>();
  const busy = new Set<string>();
  const sendFile = createFileSender();
  const moveIntoPlace = createPlacer();
  let filesKept = 0;
  await guarded(async () => {
    for (const folder of [layout.uploads, layout.trash]) {
      await ensureFolder(folder);
      await access(folder, constants.W_OK);
    }
  });

  async function exclusively<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    checkUploadId(id);
    if (busy.has(id)) throw busyError();
    busy.add(id);
    try {
      return await guarded(work);
    } finally {
      busy.delete(id);
    }
  }

  /** Where the upload stands, with a running hash of the wanted algorithm. */
  async function resume(id: string, algorithm?: DigestAlgorithm): Promise<Progress> {
    const known = progress.get(id);
    if (known && (algorithm === undefined || known.algorithm === algorithm)) return known;
    const hashed = await hashFile(layout.upload(id), algorithm ?? 'sha256');
    remember(id, hashed);
    return hashed;
  }

  function remember(id: string, state: Progress): void {
    forget(id);
    progress.set(id, state);
    for (const other of progress.keys()) {
      if (progress.size <= HASHES_KEPT) return;
      if (!busy.has(other)) forget(other);
    }
  }

  function forget(id: string): void {
    const state = progress.get(id);
    progress.delete(id);
    const descriptor = state && takeFile(state);
    if (descriptor !== undefined) letGo(descriptor);
  }

  /** The open file of an upload, which is the caller's to close now. */
  function takeFile(state: Progress): number | undefined {
    const { descriptor } = state;
    if (descriptor !== undefined) filesKept -= 1;
    state.descriptor = undefined;
    return descriptor;
  }

  function keepFile(state: Progress, descriptor: number): void {
    if (filesKept >= FILES_KEPT) return letGo(descriptor);
    filesKept += 1;
    state.descriptor = descriptor;
  }

  async function fileOf(id: string, state: Progress): Promise<number> {
    return takeFile(state) ?? (await openDescriptor(layout.upload(id), constants.O_RDWR | constants.O_CREAT, 0o640));
  }

  return {
    async uploadSize(id) {
      checkUploadId(id);
      return progress.get(id)?.size ?? (await guarded(() => fileSize(layout.upload(id)))) ?? 0;
    },

    append: (id, offset, source, algorithm) =>
      exclusively(id, async () => {
        const fresh = !progress.has(id);
        const state = await resume(id, fresh ? algorithm : undefined);
        if (offset !== state.size) throw offsetError(offset, state.size);
        const descriptor = await fileOf(id, state);
        try {
          await appendToFile(descriptor, state, source);
          keepFile(state, descriptor);
        } catch (error) {
          letGo(descriptor);
          // What a failed write left behind was not acknowledged, and on a full disk others need its room. It is read again before it goes on.
          if (!isInterruption(error)) {
            progress.delete(id);
            await truncate(layout.upload(id), offset).catch(() => undefined);
          }
          throw error;
        }
        return state.size;
      }),

    commit: (id, digest) =>
      exclusively(id, async () => {
        const path = layout.upload(id);
        let state = await resume(id, algorithmOf(digest));
        const descriptor = await fileOf(id, state);
        let synced = false;
        try {
          if (fstatSync(descriptor).size !== state.size) {
            state = await hashFile(path, algorithmOf(digest));
            remember(id, state);
          }
          const actual = digestFrom(state.algorithm, state.hash.copy());
          if (actual !== digest) throw mismatchError(digest, actual);
          await syncDescriptor(descriptor);
          synced = true;
        } finally {
          // Nothing is left to be written then.
          if (synced) closeSync(descriptor);
          else letGo(descriptor);
        }
        await moveIntoPlace(path, layout.blob(digest));
        forget(id);
        return { size: state.size };
      }),

    cancel: (id) =>
      exclusively(id, async () => {
        forget(id);
        await rm(layout.upload(id), { force: true });
      }),

    cancelStale: (before) =>
      guarded(async () => {
        let cancelled = 0;
        for (const name of await readdir(layout.uploads)) {
          if (busy.has(name)) continue;
          const info = await stat(layout.upload(name)).catch(absent);
          if (!info || info.mtimeMs >= before) continue;
          forget(name);
          await rm(layout.upload(name), { force: true });
          cancelled += 1;
        }
        return cancelled;
      }),

    stat: (digest) =>
      guarded(async () => {
        const size = await fileSize(layout.blob(digest));
        return size === undefined ? undefined : { size };
      }),

    open: (digest, range) => guarded(() => openFile(layout.blob(digest), range)),

    openToSend: (digest, range) =>
      guarded(async () => {
        const descriptor = await openDescriptor(layout.blob(digest), 'r').catch(absent);
        if (descriptor === undefined) return undefined;
        const info = fstatSync(descriptor);
        if (info.isFile() && range.last < info.size)
          return (sink) =>
            guarded(() => sendFile(descriptor, range, sink)).finally(() => close(descriptor, () => undefined));
        await closeDescriptor(descriptor);
        return undefined;
      }),

    adoptFile: (digest, path) =>
      guarded(async () => {
        const adopted = layout.upload(newId());
        try {
          if (!(await linkOf(path, adopted))) return undefined;
          const { size, hash } = await hashFile(adopted, algorithmOf(digest));
          const actual = digestFrom(algorithmOf(digest), hash);
          if (actual !== digest) throw mismatchError(digest, actual);
          await syncFile(adopted);
          await moveIntoPlace(adopted, layout.blob(digest));
          return { size };
        } finally {
          // Also when it was in place under that very file already: the rename then leaves both names.
          await rm(adopted, { force: true });
        }
      }),

    delete: (digest) =>
      guarded(async () => {
        const trashed = layout.trashed(digest, options.clock.now());
        const moved = await rename(layout.blob(digest), trashed).then(() => true, absent);
        return moved ?? false;
      }),

    emptyTrash: (before) =>
      guarded(async () => {
        let freed = 0;
        for (const name of await readdir(layout.trash)) {
          const at = trashedAt(name);
          if (at === undefined || at >= before) continue;
          await rm(`${layout.trash}/${name}`, { force: true });
          freed += 1;
        }
        return freed;
      }),

    localPath: (digest: Digest) => layout.blob(digest),
    uploadPath: (id: string) => layout.upload(id),
  };
}

/** Writes the source at the end of the upload; whatever arrives is hashed and kept even when the source fails. */
async function appendToFile(descriptor: number, state: Progress, source: ByteSource): Promise<void> {
  const writer = gatheringWriter(descriptor, state.size, source.owned === true ? release : undefined);
  const interruption = await readInto(source, async (chunk) => {
    state.hash.update(chunk);
    state.size += chunk.byteLength;
    await writer.write(chunk);
  });
  await writer.flush();
  if (interruption) throw interruption;
}

/** Nothing is left to be learnt from closing a file whose content was synced or given up. */
function letGo(descriptor: number): void {
  close(descriptor, () => undefined);
}

function isInterruption(error: unknown): boolean {
  return error instanceof BlobError && error.code === 'upload_interrupted';
}

async function hashFile(path: string, algorithm: DigestAlgorithm): Promise<Progress> {
  const state: Progress = { algorithm, hash: createHash(algorithm), size: 0 };
  const stream = await openFile(path);
  for await (const chunk of stream ?? []) {
    const bytes = chunk as Buffer;
    state.hash.update(bytes);
    state.size += bytes.byteLength;
  }
  return state;
}

/** Where a second name for a file cannot be had: another file system, one without them, a file of somebody else, too many names, no file. */
const NO_LINK: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'ENOSYS', 'ENOENT']);

/** Gives a plain file a second name; false when that is not possible. */
async function linkOf(path: string, name: string): Promise<boolean> {
  try {
    // Of a symbolic link this is another symbolic link.
    await link(path, name);
    return (await lstat(name)).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error && NO_LINK.has(String(error.code))) return false;
    throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  const descriptor = await openDescriptor(path, 'r');
  try {
    await syncDescriptor(descriptor);
  } finally {
    await closeDescriptor(descriptor);
  }
}

async function openFile(path: string, range?: ByteRange): Promise<Readable | undefined> {
  const descriptor = await openDescriptor(path, 'r').catch(absent);
  if (descriptor === undefined) return undefined;
  try {
    const { size } = fstatSync(descriptor);
    if (range) checkRange(range, size);
    const { first, last } = range ?? { first: 0, last: size - 1 };
    if (last >= first)
      return createReadStream('', { fd: descriptor, start: first, end: last, highWaterMark: READ_SIZE });
  } catch (error) {
    await closeDescriptor(descriptor);
    throw error;
  }
  await closeDescriptor(descriptor);
  return Readable.from([]);
}

async function fileSize(path: string): Promise<number | undefined> {
  return (await stat(path).catch(absent))?.size;
}

/** For `catch`: a file that is not there is an answer, everything else is a failure. */
function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

/** What people are told of an errno that is about the disk and not about one file. */
const TROUBLE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk of the blob storage is full',
  EDQUOT: 'the disk of the blob storage is full',
  EROFS: 'the disk of the blob storage is read-only',
  EIO: 'the disk of the blob storage fails',
};

/** Failures of the file system become `storage_full` or `storage_failed`; our own errors pass. */
async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BlobError) throw error;
    const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
    const code = errno === 'ENOSPC' || errno === 'EDQUOT' ? 'storage_full' : 'storage_failed';
    const sentence = TROUBLE[errno];
    const message =
      sentence === undefined ? `the blob storage does not work: ${messageOf(error)}` : `${sentence} (${errno})`;
    throw new BlobError(code, message, { cause: error });
  }
}
