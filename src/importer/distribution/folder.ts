import { constants, createReadStream, type Dirent } from 'node:fs';
import { type FileHandle, open, opendir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteSource, readBounded } from '../../platform/streams.ts';
import { ImportError } from '../errors.ts';

/** A folder somebody else wrote: nothing is read that is not a plain file inside it, reached without symbolic links. */
export interface ForeignFolder {
  /** Entries in no order, one at a time; none when there is no such folder. */
  list(path: string): AsyncIterable<Dirent>;
  /** A file; undefined when it is not there. Throws `ImportError('damaged')` for anything that is no plain file inside. */
  file(path: string): Promise<ForeignFile | undefined>;
}

export interface ForeignFile {
  readonly path: string;
  readonly size: number;
  /** At most `limit` bytes; more is `StreamError('too_large')`. */
  read(limit: number): Promise<Buffer>;
  readonly open: () => Promise<ByteSource>;
}

const READ_SIZE = 1024 * 1024;

/** Opens the folder; `root` may itself be a symbolic link. Throws `ImportError('source_unusable')`. */
export async function openForeignFolder(root: string): Promise<ForeignFolder> {
  const real = await realpath(root).catch((error: unknown) => {
    throw new ImportError('source_unusable', `${root} cannot be read: there is no such folder, or you may not`, {
      cause: error,
    });
  });

  /** The path itself, unless a part of it leads elsewhere. */
  async function inside(path: string): Promise<string | undefined> {
    const wanted = join(real, path);
    const actual = await realpath(wanted).catch(absent);
    if (actual !== undefined && actual !== wanted)
      throw new ImportError('damaged', 'a symbolic link is in its path, and none is followed');
    return actual;
  }

  return {
    async *list(path) {
      const at = await inside(path);
      const folder = at === undefined ? undefined : await opendir(at, { bufferSize: 256 }).catch(absent);
      if (folder) yield* folder;
    },
    async file(path) {
      const at = await inside(path);
      const handle = at === undefined ? undefined : await opened(at);
      if (at === undefined || handle === undefined) return undefined;
      const info = await handle.stat();
      await handle.close();
      if (!info.isFile()) throw new ImportError('damaged', 'it is no plain file');
      const stream = async () => {
        const again = await opened(at);
        if (again === undefined) throw new ImportError('missing', `${at} went away while it was read`);
        return createReadStream('', { fd: again, highWaterMark: READ_SIZE });
      };
      return {
        path: at,
        size: info.size,
        open: stream,
        read: async (limit) => readBounded(await stream(), limit, path),
      };
    },
  };
}

async function opened(path: string): Promise<FileHandle | undefined> {
  // Not blocking: opening a pipe would wait for its other end.
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(absent);
}

/** For `catch`: what is not there is an answer. So is what stands under a file. */
function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
    return undefined;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  throw new ImportError('damaged', `it cannot be read (${code || 'unknown reason'})`, { cause: error });
}
