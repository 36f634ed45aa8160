import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PIECE = Buffer.alloc(64 * 1024);

/** A file system of its own in memory, to be filled and broken. Needs root. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes all the room that is left, or leaves so many bytes. */
  fill(left?: number): Promise<void>;
  /** Takes all the files that can still be made. */
  fillWithFiles(): Promise<void>;
  /** Gives back what `fill` and `fillWithFiles` took. */
  empty(): Promise<void>;
  readOnly(readOnly: boolean): Promise<void>;
  remove(): Promise<void>;
}

export async function mountSmallDisk({ megabytes, files }: { megabytes: number; files?: number }): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-small-disk-'));
  const options = [`size=${megabytes}m`, ...(files === undefined ? [] : [`nr_inodes=${files}`])].join(',');
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  const ballast = join(folder, 'ballast');
  const small: string[] = [];
  return {
    folder,
    async fill(left = 0) {
      const file = await open(ballast, 'a');
      try {
        for (;;) await file.appendFile(PIECE);
      } catch (error) {
        if (!isFull(error)) throw error;
        const { size } = await file.stat();
        await file.truncate(Math.max(0, size - left));
      } finally {
        await file.close();
      }
    },
    async fillWithFiles() {
      try {
        for (;;) {
          const path = join(folder, `small-${small.length}`);
          await writeFile(path, '');
          small.push(path);
        }
      } catch (error) {
        if (!isFull(error)) throw error;
      }
    },
    async empty() {
      await rm(ballast, { force: true });
      for (const path of small.splice(0)) await rm(path, { force: true });
    },
    async readOnly(readOnly) {
      await run('mount', ['-o', `remount,${readOnly ? 'ro' : 'rw'}`, folder]);
    },
    async remove() {
      // Lazily: whoever still has a file open must not keep it.
      await run('umount', ['-l', folder]);
      await rmdir(folder);
    },
  };
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}
