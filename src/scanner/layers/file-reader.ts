import type { FileHandle } from 'node:fs/promises';
import type { ByteReader } from './byte-reader.ts';

const PIECE = 64 * 1024;

/** Reads an open file piece by piece; going forward costs nothing. `close` leaves the handle open: it is its owner's. */
export async function createFileReader(file: FileHandle): Promise<ByteReader> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(PIECE);
  let held: Buffer = buffer.subarray(0, 0);
  let position = 0;

  async function fill(target: Buffer, from: number): Promise<number> {
    let length = 0;
    while (length < target.length) {
      const { bytesRead } = await file.read(target, length, target.length - length, from + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return length;
  }

  function take(length: number): Buffer {
    const piece = held.subarray(0, length);
    held = held.subarray(piece.length);
    position += piece.length;
    return piece;
  }

  return {
    get position() {
      return position;
    },
    async read(length) {
      if (held.length >= length) return take(length);
      if (length > PIECE) {
        const target = Buffer.alloc(Math.min(length, Math.max(size - position, 0)));
        const read = await fill(target, position);
        position += read;
        held = buffer.subarray(0, 0);
        return target.subarray(0, read);
      }
      held = buffer.subarray(0, await fill(buffer, position));
      return take(length);
    },
    skip(length) {
      const passed = Math.min(length, Math.max(size - position, 0));
      held = held.subarray(Math.min(passed, held.length));
      position += passed;
      return Promise.resolve(passed);
    },
    close: () => Promise.resolve(),
  };
}
