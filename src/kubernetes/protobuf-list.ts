import { MAGIC, ProtoCursor, unreadable } from './protobuf.ts';

/** What stands at the head of a list. */
export interface ListHead {
  readonly resourceVersion: string;
  /** Where the next page begins; empty on the last one. */
  readonly next: string;
}

/** Hears of the parts of a list as they come in. */
export interface ListParts {
  head(head: ListHead): void;
  /** The bytes of one object, which are gone afterwards. */
  object(bytes: Buffer): void;
}

/** etcd keeps no object above 1.5 MB. */
const LARGEST_OBJECT = 8 * 1024 * 1024;

/** Where the content of a field begins and ends, counted from its own first byte. */
interface Field {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Takes a list in protobuf apart while it comes in, so that no more of it is held than one object and one piece. Give it all
 * pieces, then `end`. Both throw `unexpected_reply` for what is no list.
 */
export class ProtobufList {
  readonly #parts: ListParts;
  /** The beginning of something that is not all there yet. */
  #rest: Buffer = Buffer.alloc(0);
  #opened = false;
  /** Bytes of the list that are still to come; undefined outside of it, in the envelope. */
  #left: number | undefined;
  #isHeaded = false;

  constructor(parts: ListParts) {
    this.#parts = parts;
  }

  take(piece: Buffer): void {
    let bytes = piece;
    // Of what stands across two pieces only itself is put together.
    while (this.#rest.length > 0 && bytes.length > 0) {
      const before = this.#rest.length;
      const more = bytes.subarray(0, Math.max(this.#needed(this.#rest) - before, 1));
      const joined = Buffer.concat([this.#rest, more]);
      const used = this.#read(joined);
      if (used < before) {
        this.#rest = joined.subarray(used);
        bytes = bytes.subarray(more.length);
      } else {
        this.#rest = Buffer.alloc(0);
        bytes = bytes.subarray(used - before);
      }
    }
    if (bytes.length > 0) this.#rest = bytes.subarray(this.#read(bytes));
  }

  end(): void {
    if (this.#rest.length > 0 || !this.#isHeaded || this.#left !== undefined) throw unreadable();
  }

  /** How many of the bytes it has read. */
  #read(bytes: Buffer): number {
    let at = 0;
    if (!this.#opened) {
      if (bytes.length < MAGIC.length) return 0;
      if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw unreadable();
      this.#opened = true;
      at = MAGIC.length;
    }
    while (at < bytes.length) {
      const field = fieldAt(bytes, at);
      if (field === undefined) break;
      if (this.#left === undefined && field.number === 2) {
        at += field.start;
        this.#left = field.end - field.start;
      } else {
        if (field.end > LARGEST_OBJECT) throw unreadable();
        if (at + field.end > bytes.length) break;
        if (this.#left !== undefined) this.#takeField(field, bytes.subarray(at + field.start, at + field.end));
        at += field.end;
      }
      if (this.#left === 0) this.#endList();
    }
    return at;
  }

  #takeField({ number, end }: Field, content: Buffer): void {
    if (number === 1) this.#head(content);
    else if (number === 2) {
      if (!this.#isHeaded) throw unreadable();
      this.#parts.object(content);
    }
    this.#left = (this.#left ?? 0) - end;
    if (this.#left < 0) throw unreadable();
  }

  #head(content: Buffer): void {
    let [resourceVersion, next] = ['', ''];
    const metadata = new ProtoCursor(content);
    while (metadata.next()) {
      if (metadata.field === 2) resourceVersion = metadata.text();
      else if (metadata.field === 3) next = metadata.text();
    }
    this.#isHeaded = true;
    this.#parts.head({ resourceVersion, next });
  }

  #endList(): void {
    this.#left = undefined;
    if (!this.#isHeaded) throw unreadable();
  }

  /** How many bytes from the beginning of `bytes` have to be there at least to go on. */
  #needed(bytes: Buffer): number {
    if (!this.#opened) return MAGIC.length;
    const field = fieldAt(bytes, 0);
    return field === undefined ? bytes.length + 1 : field.end;
  }
}

/** The field that begins at `at`; undefined while the bytes do not say yet how long it is. */
function fieldAt(bytes: Buffer, at: number): Field | undefined {
  const key = numberAt(bytes, at);
  if (key === undefined) return undefined;
  const number = Math.floor(key.value / 8);
  const start = key.length;
  switch (key.value % 8) {
    case 0: {
      const value = numberAt(bytes, at + start);
      return value && { number, start, end: start + value.length };
    }
    case 1:
      return { number, start, end: start + 8 };
    case 2: {
      const length = numberAt(bytes, at + start);
      return length && { number, start: start + length.length, end: start + length.length + length.value };
    }
    case 5:
      return { number, start, end: start + 4 };
    default:
      throw unreadable();
  }
}

/** The number that begins at `at` and how many bytes it takes; undefined while it is not all there. */
function numberAt(bytes: Buffer, at: number): { readonly value: number; readonly length: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let length = 1; length <= 10; length += 1) {
    const byte = bytes[at + length - 1];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, length };
    factor *= 128;
  }
  throw unreadable();
}
