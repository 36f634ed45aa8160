import { KubernetesError } from './errors.ts';

/** The four bytes before every object that the API server sends in protobuf. */
export const MAGIC = Buffer.from('k8s\0', 'latin1');

/**
 * Reads the fields of one protobuf message in place, without building anything: what is not asked for is passed over by
 * its length. Throws `unexpected_reply` for bytes that are no message.
 */
export class ProtoCursor {
  /** Number of the field that `next` found. */
  field = 0;
  readonly #bytes: Buffer;
  readonly #limit: number;
  #at: number;
  #start = 0;
  #end = 0;
  #value = 0;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#limit = end;
  }

  /** Goes to the next field; false at the end. */
  next(): boolean {
    if (this.#at >= this.#limit) return false;
    const key = this.#varint();
    this.field = Math.floor(key / 8);
    this.#start = this.#at;
    this.#end = this.#at;
    switch (key % 8) {
      case 0:
        this.#value = this.#varint();
        break;
      case 1:
        this.#at += 8;
        break;
      case 2: {
        const length = this.#varint();
        this.#start = this.#at;
        this.#at += length;
        this.#end = this.#at;
        break;
      }
      case 5:
        this.#at += 4;
        break;
      default:
        throw unreadable();
    }
    if (this.#at > this.#limit) throw unreadable();
    return true;
  }

  /** The field as a number; exact up to 2^53. */
  number(): number {
    return this.#value;
  }

  text(): string {
    return this.#bytes.toString('utf8', this.#start, this.#end);
  }

  /** The bytes of the field as a key for look-ups: equal exactly when the bytes are. */
  key(): string {
    return this.#bytes.toString('latin1', this.#start, this.#end);
  }

  /** The message in the field. */
  inner(): ProtoCursor {
    return new ProtoCursor(this.#bytes, this.#start, this.#end);
  }

  /** The bytes of the field, not copied. */
  bytes(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || this.#at >= this.#limit) break;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw unreadable();
  }
}

/** The object in its envelope (`runtime.Unknown`), and its kind. */
export function openEnvelope(bytes: Buffer): { readonly kind: string; readonly object: Buffer } {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw unreadable();
  const unknown = new ProtoCursor(bytes, MAGIC.length);
  let kind = '';
  let object = bytes.subarray(0, 0);
  while (unknown.next()) {
    if (unknown.field === 2) object = unknown.bytes();
    else if (unknown.field === 1) kind = textOf(unknown.inner(), 2);
  }
  return { kind, object };
}

/** The text of one field of a message; empty when it is not there. */
export function textOf(message: ProtoCursor, field: number): string {
  let text = '';
  while (message.next()) if (message.field === field) text = message.text();
  return text;
}

/** What any reply in protobuf is refused with that does not hold what it should. */
export function unreadable(): KubernetesError {
  return new KubernetesError('unexpected_reply', 'a protobuf reply of the API server cannot be read');
}
