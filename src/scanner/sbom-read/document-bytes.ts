import { fstatSync, readSync } from 'node:fs';

/** How much of a file is at hand at a time. A sixteenth of it lies before what was asked for. */
const WINDOW = 1024 * 1024;

/** The bytes of a document, looked at in any order; of a file only a window is in memory. */
export interface DocumentBytes {
  readonly length: number;
  /** The byte at a place; undefined beyond the end. */
  at(place: number): number | undefined;
  /** Where a text (ASCII) begins next, before `limit`; -1 when it does not. */
  find(text: string, from: number, limit: number): number;
  /** A copy of a part. */
  slice(start: number, end: number): Buffer;
}

/** A document that is in memory as a whole. */
export function bytesOfMemory(bytes: Buffer): DocumentBytes {
  return new WindowedBytes(bytes.length, bytes, () => 0, 0);
}

/** A document in an open file, which must not change. The descriptor is its owner's. Reading throws what the system says. */
export function bytesOfFile(fd: number, window = WINDOW): DocumentBytes {
  const { size } = fstatSync(fd);
  return new WindowedBytes(size, Buffer.alloc(0), (target, position) => readSync(fd, target, { position }), window);
}

/** One class for both, so that the innermost loops of the reader stay fast. */
class WindowedBytes implements DocumentBytes {
  length: number;
  readonly #read: (target: Buffer, position: number) => number;
  readonly #size: number;
  #window: Buffer;
  #start = 0;
  #memory: Buffer | undefined;

  constructor(length: number, window: Buffer, read: (target: Buffer, position: number) => number, size: number) {
    this.#size = size;
    this.length = length;
    this.#window = window;
    this.#read = read;
  }

  at(place: number): number | undefined {
    const index = place - this.#start;
    if (index >= 0 && index < this.#window.length) return this.#window[index];
    if (place < 0 || place >= this.length) return undefined;
    this.#move(place);
    return this.#window[place - this.#start];
  }

  find(text: string, from: number, limit: number): number {
    const end = Math.min(limit, this.length);
    const sought = text.length === 1 ? text.charCodeAt(0) : text;
    for (let place = from; place < end; ) {
      if (this.at(place) === undefined) return -1;
      const found = this.#window.indexOf(sought, place - this.#start, 'latin1');
      if (found >= 0) return this.#start + found < end ? this.#start + found : -1;
      const next = this.#start + this.#window.length;
      if (next >= this.length) return -1;
      // What begins at the end of one window may end in the next.
      place = Math.max(next - text.length + 1, place);
      if (place < next) this.#move(place);
    }
    return -1;
  }

  slice(start: number, end: number): Buffer {
    const stop = Math.min(end, this.length);
    const copy = Buffer.alloc(Math.max(stop - start, 0));
    for (let place = start; place < stop; ) {
      if (this.at(place) === undefined) return copy.subarray(0, place - start);
      place += this.#window.copy(copy, place - start, place - this.#start, stop - this.#start);
    }
    return copy;
  }

  #move(place: number): void {
    this.#memory ??= Buffer.alloc(this.#size);
    this.#start = Math.max(place - Math.floor(this.#size / 16), 0);
    let filled = 0;
    const wanted = Math.min(this.#size, this.length - this.#start);
    while (filled < wanted) {
      const count = this.#read(this.#memory.subarray(filled, wanted), this.#start + filled);
      if (count === 0) break;
      filled += count;
    }
    this.#window = this.#memory.subarray(0, filled);
    // The file became shorter: its end is where it is now.
    if (filled < wanted) this.length = this.#start + filled;
  }
}
