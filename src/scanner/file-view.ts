import { readSync } from 'node:fs';

/** A file at hand for random access, while its cataloger looks at it. */
export interface FileView {
  readonly size: number;
  /** Bytes from an offset on, fewer only at the end. A view into what is held or a copy: not to be written to, nor kept after cataloging. */
  read(at: number, length: number): Buffer;
  /** Everything. Only for files that are known to be small: the cataloger's `largest` has been checked. */
  bytes(): Buffer;
}

/** A file that is in memory. */
export function viewOf(content: Buffer): FileView {
  return {
    size: content.length,
    read: (at, length) => content.subarray(Math.max(at, 0), Math.max(at, 0) + Math.max(length, 0)),
    bytes: () => content,
  };
}

/** Databases are read here and there, a page at a time: some windows are kept. */
const WINDOW = 16 * 1024;
const MOST_WINDOWS = 128;

/**
 * A file on disk, or the part of one that begins at `from`, read in place. The descriptor is its owner's. `read` throws what the system says
 * when it cannot read.
 */
export function viewOfFile(fd: number, size: number, from = 0): FileView {
  /** By number, the one used last at the end. */
  const windows = new Map<number, Buffer>();

  function window(number: number): Buffer {
    const held = windows.get(number);
    if (held) {
      windows.delete(number);
      windows.set(number, held);
      return held;
    }
    const start = number * WINDOW;
    const read = readAt(fd, from + start, Math.min(WINDOW, size - start));
    const [oldest] = windows.keys();
    if (oldest !== undefined && windows.size >= MOST_WINDOWS) windows.delete(oldest);
    windows.set(number, read);
    return read;
  }

  return {
    size,
    read(at, length) {
      const start = Math.min(Math.max(at, 0), size);
      const end = Math.min(start + Math.max(length, 0), size);
      const number = Math.floor(start / WINDOW);
      if (end > (number + 1) * WINDOW) return readAt(fd, from + start, end - start);
      return start === end ? Buffer.alloc(0) : window(number).subarray(start - number * WINDOW, end - number * WINDOW);
    },
    bytes: () => readAt(fd, from, size),
  };
}

function readAt(fd: number, start: number, wanted: number): Buffer {
  const content = Buffer.allocUnsafe(wanted);
  let length = 0;
  while (length < wanted) {
    const count = readSync(fd, content, length, wanted - length, start + length);
    if (count === 0) break;
    length += count;
  }
  return content.subarray(0, length);
}
