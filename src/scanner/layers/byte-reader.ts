import type { ByteSource } from '../../platform/streams.ts';

/** Reads a source piece by piece: exact numbers of bytes, or forward without keeping them. */
export interface ByteReader {
  /** The next `length` bytes, fewer only at the end. The buffer is valid until the next call. */
  read(length: number): Promise<Buffer>;
  /** Goes forward; gives the number of bytes passed, fewer only at the end. */
  skip(length: number): Promise<number>;
  /** Number of bytes read and skipped so far. */
  readonly position: number;
  /** Ends the source. */
  close(): Promise<void>;
}

const EMPTY: Buffer = Buffer.alloc(0);

export function createByteReader(source: ByteSource): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let current: Buffer = EMPTY;
  /** How far `current` is used up. */
  let used = 0;
  let position = 0;

  async function more(): Promise<boolean> {
    for (;;) {
      const next = await iterator.next();
      if (next.done) return false;
      const chunk = next.value;
      if (chunk.byteLength === 0) continue;
      current = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      used = 0;
      return true;
    }
  }

  function take(length: number): Buffer {
    const piece = current.subarray(used, used + length);
    used += piece.length;
    position += piece.length;
    return piece;
  }

  return {
    get position() {
      return position;
    },
    async read(length) {
      if (current.length - used >= length) return take(length);
      const pieces: Buffer[] = [];
      let missing = length;
      while (missing > 0) {
        if (used === current.length && !(await more())) break;
        const piece = take(missing);
        pieces.push(piece);
        missing -= piece.length;
      }
      return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    },
    async skip(length) {
      let missing = length;
      while (missing > 0) {
        if (used === current.length && !(await more())) break;
        const passed = Math.min(missing, current.length - used);
        used += passed;
        position += passed;
        missing -= passed;
      }
      return length - missing;
    },
    async close() {
      await iterator.return?.();
    },
  };
}
