import { readSync } from 'node:fs';
import { viewOfFile } from '../file-view.ts';
import type { ByteReader } from './byte-reader.ts';

const PIECE = 256 * 1024;

/**
 * Reads a part of an open file, in place: going forward costs nothing, and nothing ever has to be waited for. The descriptor
 * is its owner's. `peek` throws what the system says when it cannot read, and tells `failed`.
 */
export function createFileReader(
  fd: number,
  start: number,
  size: number,
  failed?: (error: unknown) => void,
): ByteReader {
  let buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, size));
  /** Where in the part the buffer begins, and how much of it is filled. */
  let from = 0;
  let filled = 0;
  let position = 0;

  function load(length: number): void {
    if (length > buffer.length) buffer = Buffer.allocUnsafeSlow(length);
    from = position;
    filled = 0;
    const wanted = Math.min(buffer.length, size - from);
    while (filled < wanted) {
      const count = read(wanted - filled);
      if (count === 0) break;
      filled += count;
    }
  }

  function read(length: number): number {
    try {
      return readSync(fd, buffer, filled, length, start + from + filled);
    } catch (error) {
      failed?.(error);
      throw error;
    }
  }

  return {
    ended: true,
    get position() {
      return position;
    },
    peek(length) {
      const wanted = Math.min(length, size - position);
      if (position < from || position + wanted > from + filled) load(wanted);
      return buffer.subarray(position - from, Math.min(position - from + wanted, filled));
    },
    pass(length) {
      const passed = Math.min(length, size - position);
      position += passed;
      return passed;
    },
    fill: () => Promise.resolve(),
    inPlace: (length) => viewOfFile(fd, Math.min(length, size - position), start + position),
    close: () => Promise.resolve(),
  };
}
