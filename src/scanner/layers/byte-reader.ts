import type { ByteSource } from '../../platform/streams.ts';
import type { FileView } from '../file-view.ts';

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
  /** The next `length` bytes where they lie, without having them read. Absent where they come one after another. */
  readonly inPlace?: (length: number) => FileView;
  /** Ends the source. */
  close(): Promise<void>;
}

const EMPTY: Buffer = Buffer.alloc(0);

/** Reads a source piece by piece. `done` is told of every piece that nobody looks at any more. */
export function createByteReader(source: ByteSource, done?: (piece: Uint8Array) => void): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  /** What is read from: a piece, or a bridge from what was left of one to the begin of the next. */
  let current: Buffer = EMPTY;
  let used = 0;
  /** The piece that comes after the bridge. */
  let following: Buffer | undefined;
  let piece: Uint8Array | undefined;
  /** Memory of bridges, used again and again. */
  let memory: Buffer = EMPTY;
  let position = 0;
  let ended = false;

  async function next(): Promise<Buffer | undefined> {
    release();
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

  /** Goes on to the piece behind the bridge, once that is used up. */
  function cross(): void {
    if (used < current.length || !following) return;
    current = following;
    used = 0;
    following = undefined;
  }

  /** Puts the next `length` bytes, or everything up to the end, into one piece of memory. */
  async function bridge(length: number): Promise<void> {
    const rest = current.subarray(used);
    if (memory.length < length) {
      const larger = Buffer.allocUnsafeSlow(length);
      rest.copy(larger);
      memory = larger;
    } else memory.set(rest);
    let filled = rest.length;
    let source = following;
    current = memory.subarray(0, filled);
    used = 0;
    following = undefined;
    while (filled < length) {
      source ??= await next();
      if (!source) break;
      const copied = source.copy(memory, filled, 0, length - filled);
      filled += copied;
      following = copied < source.length ? source.subarray(copied) : undefined;
      source = undefined;
    }
    current = memory.subarray(0, filled);
  }

  return {
    get position() {
      return position;
    },
    get ended() {
      return ended && !following;
    },
    peek(length) {
      cross();
      return current.subarray(used, used + length);
    },
    pass(length) {
      let passed = 0;
      do {
        cross();
        const step = Math.min(length - passed, current.length - used);
        used += step;
        passed += step;
      } while (passed < length && following);
      position += passed;
      return passed;
    },
    async fill(length) {
      cross();
      if (current.length - used >= length || (ended && !following)) return;
      if (used < current.length) return bridge(length);
      const more = await next();
      current = more ?? EMPTY;
      used = 0;
      if (current.length < length && !ended) await bridge(length);
    },
    async close() {
      await iterator.return?.();
    },
  };
}
