import type { FileView } from '../../file-view.ts';

/** A SQLite database file, opened for reading. Pages are counted from 1. */
export interface SqliteFile {
  readonly file: FileView;
  readonly pageSize: number;
  /** Bytes of a page that hold content: extensions may keep some at the end for themselves. */
  readonly usable: number;
  readonly pages: number;
}

const MAGIC = 'SQLite format 3\0';
/** Of the file, before the content of its first page. */
export const FILE_HEADER = 100;
const SMALLEST_USABLE = 480;
const UTF8 = 1;

/** Reads the head of a database ("Database File Format", section 1.3); text when it is none: why. */
export function openSqlite(file: FileView): SqliteFile | string {
  const head = file.read(0, FILE_HEADER);
  if (head.length < FILE_HEADER || head.toString('latin1', 0, MAGIC.length) !== MAGIC)
    return 'it is no SQLite database';
  const written = head.readUInt16BE(16);
  const pageSize = written === 1 ? 65536 : written;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) return `pages of ${pageSize} bytes are not possible`;
  const usable = pageSize - head.readUInt8(20);
  if (usable < SMALLEST_USABLE) return 'its pages have no room for content';
  const encoding = head.readUInt32BE(56);
  // A database without tables has not chosen yet.
  if (encoding !== UTF8 && encoding !== 0) return 'its text is UTF-16, which rpm does not write';
  return { file, pageSize, usable, pages: Math.floor(file.size / pageSize) };
}

/** A page of the file; undefined when it does not have it. */
export function readPage({ file, pageSize, pages }: SqliteFile, number: number): Buffer | undefined {
  return number >= 1 && number <= pages ? file.read((number - 1) * pageSize, pageSize) : undefined;
}

/**
 * A number of variable length (section 1.6) and where it ends; undefined when the bytes end first. Numbers of more than 53
 * bits, which are longer than any file, and negative ones are not exact.
 */
export function readVarint(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let length = 0; length < 9; length += 1) {
    const byte = bytes[at + length];
    if (byte === undefined) return undefined;
    if (length === 8) return { value: value * 256 + byte, end: at + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + length + 1 };
  }
  return undefined;
}
