import { closeSync, mkdtempSync, openSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../platform/errors.ts';
import { ScanError } from './errors.ts';
import { type FileView, viewOfFile } from './file-view.ts';

/** Where files of a layer lie that are too large for memory, one after another. */
export interface Spool {
  /** Takes a file piece by piece, until there is an empty one. The view is good until the next file is taken. */
  take(next: () => Buffer | Promise<Buffer>): Promise<FileView>;
  close(): void;
}

/**
 * A temporary file without a name: it is unlinked as soon as it is open, so that nothing is left of it however the program
 * or the worker ends. Made when it is first needed; its place on disk is used again for every file. Throws `ScanError('limit_exceeded')` when the disk has no room.
 */
export function createSpool(): Spool {
  let fd: number | undefined;
  return {
    async take(next) {
      fd ??= onDisk(openNameless);
      const file = fd;
      let length = 0;
      for (;;) {
        const given = next();
        const piece = given instanceof Promise ? await given : given;
        if (piece.length === 0) break;
        onDisk(() => writeAll(file, piece, length));
        length += piece.length;
      }
      return viewOfFile(file, length);
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

function onDisk<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new ScanError('limit_exceeded', `a large file could not be put into ${tmpdir()}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function openNameless(): number {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-spool-'));
  const path = join(folder, 'file');
  try {
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return fd;
  } finally {
    rmdirSync(folder);
  }
}

function writeAll(fd: number, piece: Buffer, at: number): void {
  for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done, piece.length - done, at + done);
}
