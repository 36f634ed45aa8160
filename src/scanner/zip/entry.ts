import { inflateRawSync } from 'node:zlib';
import { messageOf } from '../../platform/errors.ts';
import { type FileView, viewOf } from '../file-view.ts';
import type { DirectoryRecord } from './directory.ts';

/**
 * What may still be taken out of an archive. Counted down while it is read: give the same object to the archives inside it,
 * and they share it.
 */
export interface ZipLimits {
  /** Number of entries, files and folders. */
  entries: number;
  /** Bytes without compression of all entries that are read. */
  bytes: number;
}

/** A file in an archive. */
export interface ZipEntry {
  /** Path below the archive's root, no leading slash, no `..`, nothing unprintable. */
  readonly name: string;
  /** Bytes without compression, as stated. */
  readonly size: number;
  /** True when it is kept without compression. */
  readonly stored: boolean;
  /** The content; undefined, with a problem, when it is longer than `limit` or cannot be had. Never throws. */
  read(limit: number): Buffer | undefined;
  /** As `read`; content without compression stays where it is and costs no memory. */
  view(limit: number): FileView | undefined;
}

const STORED = 0;
const DEFLATED = 8;
const METHODS: ReadonlyMap<number, string> = new Map([
  [1, 'shrink'],
  [6, 'implode'],
  [9, 'deflate64'],
  [12, 'bzip2'],
  [14, 'LZMA'],
  [93, 'Zstandard'],
  [95, 'XZ'],
  [98, 'PPMd'],
  [99, 'AES'],
]);
const ENCRYPTED = 1;
/** What deflate adds to content that does not shrink is far less than this and an eighth. */
const PACKING_OVERHEAD = 64 * 1024;
const LOCAL = 0x04034b50;
const LOCAL_LENGTH = 30;

/** The file of a record, under its decoded name. `problem` takes what hinders reading it. */
export function entryOf(
  file: FileView,
  name: string,
  record: DirectoryRecord,
  limits: ZipLimits,
  problem: (text: string) => undefined,
): ZipEntry {
  const { size } = record;

  /** Place of the content; undefined, with a problem, when it cannot be read. */
  function contentAt(limit: number): number | undefined {
    if (record.flags & ENCRYPTED) return problem(`${name} is encrypted`);
    if (record.method !== STORED && record.method !== DEFLATED)
      return problem(`${name} is packed with ${METHODS.get(record.method) ?? `method ${record.method}`}`);
    if (size > limit) return problem(`${name} has ${size} bytes, more than is read`);
    const header = file.read(record.at, LOCAL_LENGTH);
    if (header.length < LOCAL_LENGTH || header.readUInt32LE(0) !== LOCAL)
      return problem(`${name} is not where the directory says`);
    const at = record.at + LOCAL_LENGTH + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (at + record.compressedSize > file.size) return problem(`${name} ends after the archive`);
    if (record.method === STORED && record.compressedSize !== size)
      return problem(`${name} is stored with two different sizes`);
    // Otherwise a lie about the size would have the whole archive read into memory.
    if (record.compressedSize > size + size / 8 + PACKING_OVERHEAD)
      return problem(`${name} is longer packed than unpacked`);
    return at;
  }

  function charge(): boolean {
    if (size > limits.bytes) {
      problem(`${name} and what follows is not read: the archive holds more bytes than are read`);
      return false;
    }
    limits.bytes -= size;
    return true;
  }

  function read(limit: number): Buffer | undefined {
    const at = contentAt(limit);
    if (at === undefined || !charge()) return undefined;
    const packed = file.read(at, record.compressedSize);
    if (record.method === STORED) return packed;
    try {
      // One byte more than stated would be an error of its own, told apart from a damaged stream by the length.
      const content = inflateRawSync(packed, { maxOutputLength: size + 1, chunkSize: chunkFor(size) });
      return content.length === size ? content : problem(`${name} has another size than the directory says`);
    } catch (error) {
      const longer = error instanceof RangeError;
      return problem(
        longer ? `${name} is longer than the directory says` : `${name} cannot be unpacked: ${messageOf(error)}`,
      );
    }
  }

  return {
    name,
    size,
    stored: record.method === STORED,
    read,
    view(limit) {
      if (record.method !== STORED) {
        const content = read(limit);
        return content && viewOf(content);
      }
      const at = contentAt(limit);
      return at === undefined ? undefined : windowOn(file, at, size);
    },
  };
}

/** The right size at once saves zlib from gluing pieces together; what is large is glued, lest a lie costs memory. */
function chunkFor(size: number): number {
  return Math.min(Math.max(size + 1, 64), 1024 * 1024);
}

/** A part of a file as a file. */
function windowOn(file: FileView, start: number, size: number): FileView {
  const read = (at: number, length: number) => file.read(start + at, Math.max(0, Math.min(length, size - at)));
  return { size, read, bytes: () => read(0, size) };
}
