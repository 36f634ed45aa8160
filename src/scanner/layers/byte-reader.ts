import type { ByteSource } from '../../platform/streams.ts';

/**
 * Reads bytes in order. Everything but `fill` works at once on what is at hand, so that a walk through millions of entries
 * waits only when the next piece has not arrived.
 */
export interface ByteReader {
  /** What is at hand of the next `length` bytes, without going forward. Valid until the reader goes forward or fills. */
  peek(length: number): Buffer;
  /** Goes forward over at most `length` bytes of what is at hand; gives how many. */
  pass(length: number): number;
  /** Sees to it that the next `length` bytes are at hand, or everything up to the end. */
  fill(length: number): Promise<void>;
  /** True when nothing comes after what is at hand. */
  readonly ended: boolean;
  /** Number of bytes passed so far. */
  readonly position: number;
  /** Ends the source. */
  close(): Promise<void>;
}

const EMPTY: Buffer = Buffer.alloc(0);

/** Reads a source piece by piece. `done` is told of every piece that nobody looks at any more. */
export function createByteReader(source: ByteSource, done?: (piece: Uint8Array) => void): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let current: Buffer = EMPTY;
  let piece: Uint8Array | undefined;
  /** How far `current` is used up. */
  let used = 0;
  let position = 0;
  let ended = false;

  async function next(): Promise<Buffer | undefined> {
    for (;;) {
      const { value, done: last } = await iterator.next();
      if (last) {
        ended = true;
        return undefined;
      }
      if (value.byteLength === 0) continue;
      piece = value;
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  }

  function release(): void {
    if (piece) done?.(piece);
    piece = undefined;
  }

  return {
    get position() {
      return position;
    },
    get ended() {
      return ended;
    },
    peek: (length) => current.subarray(used, used + length),
    pass(length) {
      const passed = Math.min(length, current.length - used);
      used += passed;
      position += passed;
      return passed;
    },
    async fill(length) {
      let held = current.length - used;
      if (held >= length || ended) return;
      // What is left of one piece is copied together with the next.
      const pieces: Buffer[] = held > 0 ? [Buffer.from(current.subarray(used))] : [];
      release();
      while (held < length) {
        const more = await next();
        if (!more) break;
        held += more.length;
        if (held < length) {
          pieces.push(Buffer.from(more));
          release();
        } else pieces.push(more);
      }
      const [only = EMPTY] = pieces;
      current = pieces.length > 1 ? Buffer.concat(pieces, held) : only;
      if (pieces.length > 1) release();
      used = 0;
    },
    async close() {
      await iterator.return?.();
    },
  };
}
