import { LARGEST_BLOB, type Report } from './blob-reader.ts';
import { FILE_HEADER, readPage, readVarint, type SqliteFile } from './sqlite-file.ts';

const INTERIOR = 0x05;
const LEAF = 0x0d;
const LEAF_HEAD = 8;
const INTERIOR_HEAD = 12;
/** A record may hold a little beside the blob. */
const LARGEST_RECORD = LARGEST_BLOB + 1024;

/**
 * The records of a table from its b-tree ("Database File Format", sections 1.5 and 1.6), at most `most`. Every page counts
 * once: trees and chains that lead back to a page are reported and not followed.
 */
export function* readTable(database: SqliteFile, root: number, most: number, report: Report): Generator<Buffer> {
  const used = new Set<number>();
  const todo = [root];
  let cells = 0;
  for (let number = todo.pop(); number !== undefined; number = todo.pop()) {
    if (used.has(number)) {
      report(`page ${number} has been read before`);
      continue;
    }
    used.add(number);
    const page = readPage(database, number);
    if (!page) {
      report(`there is no page ${number}`);
      continue;
    }
    const start = number === 1 ? FILE_HEADER : 0;
    const type = page[start];
    if (type !== LEAF && type !== INTERIOR) {
      report(`page ${number} is no page of a table`);
      continue;
    }
    const pointers = readPointers(page, start, type === LEAF ? LEAF_HEAD : INTERIOR_HEAD);
    if (!pointers) {
      report(`page ${number} has more cells than room`);
      continue;
    }
    if (type === INTERIOR) {
      todo.push(page.readUInt32BE(start + 8));
      for (const at of pointers.reverse()) if (at + 4 <= page.length) todo.push(page.readUInt32BE(at));
      if (todo.length > database.pages) return report('its tree has more branches than the file has pages');
      continue;
    }
    for (const at of pointers) {
      cells += 1;
      if (cells > most) return report(`it has more than ${most} records; the rest is not read`);
      const record = readRecord(database, page, at, used);
      if (typeof record === 'string') report(`page ${number}: ${record}`);
      else yield record;
    }
  }
}

function readPointers(page: Buffer, start: number, head: number): number[] | undefined {
  const count = page.readUInt16BE(start + 3);
  const first = start + head;
  if (first + count * 2 > page.length) return undefined;
  return Array.from({ length: count }, (_, at) => page.readUInt16BE(first + at * 2));
}

/** The content of a leaf cell: what stands in the page, then what stands in a chain of overflow pages. */
function readRecord(database: SqliteFile, page: Buffer, at: number, used: Set<number>): Buffer | string {
  const length = readVarint(page, at);
  const row = length && readVarint(page, length.end);
  if (!length || !row) return 'a record lies outside the page';
  if (length.value > LARGEST_RECORD) return `a record of ${length.value} bytes is larger than what is read`;
  const local = localLength(length.value, database.usable);
  if (row.end + local > database.usable) return 'a record lies outside the page';
  const held = page.subarray(row.end, row.end + local);
  if (local === length.value) return held;
  if (row.end + local + 4 > page.length) return 'a record lies outside the page';
  return readChain(database, held, page.readUInt32BE(row.end + local), length.value, used);
}

/** How many bytes of a record stand in its leaf (section 1.6, "Cell payload overflow pages"). */
function localLength(length: number, usable: number): number {
  if (length <= usable - 35) return length;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const local = least + ((length - least) % (usable - 4));
  return local <= usable - 35 ? local : least;
}

function readChain(
  database: SqliteFile,
  held: Buffer,
  first: number,
  length: number,
  used: Set<number>,
): Buffer | string {
  const pieces = [held];
  let missing = length - held.length;
  for (let number = first; missing > 0; ) {
    if (number === 0) return `${missing} bytes of a record are missing`;
    if (used.has(number)) return `a record goes on in page ${number}, which has been read before`;
    const page = readPage(database, number);
    if (!page) return `a record goes on in page ${number}, outside the file`;
    used.add(number);
    const piece = page.subarray(4, Math.min(database.usable, 4 + missing));
    pieces.push(piece);
    missing -= piece.length;
    number = page.readUInt32BE(0);
  }
  return Buffer.concat(pieces, length);
}
