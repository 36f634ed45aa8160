import { type FileHandle, open } from 'node:fs/promises';
import type { BlobStore } from '../blobs/blob-store.ts';
import { algorithmOf, type Digest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { ByteSource } from '../platform/streams.ts';
import { UpstreamError } from './errors.ts';

/** A blob on its way from an upstream into the store. */
export interface Download {
  /** Settles when the blob is durable here; rejects with `UpstreamError` or `BlobError`. */
  readonly done: Promise<void>;
  /** The content from its first byte, as far as it has come and then as it comes. Any number of readers. */
  follow(): ByteSource;
}

export interface Downloads {
  /** Starts the download, or joins the one under way: one fetch per digest, whoever asks and goes away. */
  fetch(digest: Digest, size: number, source: () => Promise<ByteSource>): Download;
  /** Waits for everything under way to end. */
  drain(): Promise<void>;
}

const PIECE = 256 * 1024;

interface Running extends Download {
  arrived: number;
  failed: boolean;
  readonly waiting: Set<() => void>;
}

/** Keeps the downloads under way; they go on when the client that caused them leaves. */
export function createDownloads(deps: { readonly blobs: BlobStore }): Downloads {
  const running = new Map<Digest, Running>();

  return {
    fetch(digest, size, source) {
      const known = running.get(digest);
      if (known) return known;
      const download = start(deps.blobs, digest, size, source);
      running.set(digest, download);
      const forget = () => running.delete(digest);
      download.done.then(forget, forget);
      return download;
    },
    async drain() {
      await Promise.allSettled([...running.values()].map((download) => download.done));
    },
  };
}

function start(blobs: BlobStore, digest: Digest, size: number, source: () => Promise<ByteSource>): Running {
  const id = newId();
  const state = { arrived: 0, failed: false, waiting: new Set<() => void>() };
  const wake = () => {
    for (const resume of state.waiting) resume();
    state.waiting.clear();
  };

  async function* counted(): ByteSource {
    for await (const chunk of await source()) {
      state.arrived += chunk.byteLength;
      if (state.arrived > size)
        throw new UpstreamError('invalid_response', `the upstream sends more than the ${size} bytes of ${digest}`);
      yield chunk;
      wake();
    }
    if (state.arrived < size)
      throw new UpstreamError(
        'unavailable',
        `the upstream broke off after ${state.arrived} of ${size} bytes of ${digest}`,
      );
  }

  async function store(): Promise<void> {
    try {
      await blobs.append(id, 0, counted(), algorithmOf(digest));
      await blobs.commit(id, digest);
    } catch (error) {
      state.failed = true;
      await blobs.cancel(id);
      throw asUpstreamError(error, digest);
    } finally {
      wake();
    }
  }
  const done = store();
  done.catch(() => undefined);

  return Object.assign(state, {
    done,
    follow: () => follow(blobs, digest, size, { state, done, path: blobs.uploadPath?.(id) }),
  });
}

interface Followed {
  readonly state: { arrived: number; failed: boolean; readonly waiting: Set<() => void> };
  readonly path: string | undefined;
  readonly done: Promise<void>;
}

/** Reads the growing file; a store without files, or an empty blob, is read once it has everything. */
async function* follow(blobs: BlobStore, digest: Digest, size: number, { state, path, done }: Followed): ByteSource {
  const file = size === 0 ? undefined : await openGrowing(path, { state, done });
  if (!file) {
    await done;
    yield* (await blobs.open(digest)) ?? [];
    return;
  }
  try {
    for (let position = 0; position < size; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, position);
      position += bytesRead;
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else await (state.failed ? done : progress({ state, done }));
    }
    await done;
  } finally {
    await file.close();
  }
}

/** The file of the upload, once its first bytes are there. After the commit renamed it, it is gone under this name. */
async function openGrowing(
  path: string | undefined,
  download: Omit<Followed, 'path'>,
): Promise<FileHandle | undefined> {
  if (path === undefined) return undefined;
  while (download.state.arrived === 0 && !download.state.failed) await progress(download);
  return open(path, 'r').catch(() => undefined);
}

/** Waits until more has arrived, or for the end, which may be a failure. */
async function progress({ state, done }: Omit<Followed, 'path'>): Promise<void> {
  await Promise.race([new Promise<void>((resolve) => state.waiting.add(resolve)), done]);
}

function asUpstreamError(error: unknown, digest: Digest): unknown {
  const cause = error instanceof Error && error.cause instanceof UpstreamError ? error.cause : error;
  if (cause instanceof UpstreamError) return cause;
  return new UpstreamError('unavailable', `${digest} could not be fetched: ${messageOf(error)}`, { cause: error });
}
