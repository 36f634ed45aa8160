import type { FileView } from '../../file-view.ts';
import { LARGEST_BLOB, MOST_RECORDS, type Report } from './blob-reader.ts';

const HASH_MAGIC = 0x061561;
const META = 72;
const VERSIONS: ReadonlySet<number> = new Set([8, 9, 10]);
const PAGE_SIZES: ReadonlySet<number> = new Set([512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]);
const PAGE_HEAD = 26;
const CHECKSUM_FLAG = 1;
const PAGE_TYPE = { unsortedHash: 2, overflow: 7, hash: 13 } as const;
const ITEM = { inPage: 1, offPage: 3 } as const;
/** Type, three bytes that are not used, first page, length. */
const OFF_PAGE_ITEM = 12;

interface Database {
  readonly file: FileView;
  readonly pageSize: number;
  readonly pages: number;
  readonly bigEndian: boolean;
  /** Overflow pages that have been read: each belongs to one value. */
  readonly used: Set<number>;
}

/**
 * Headers in a Berkeley DB hash, `Packages` (Berkeley DB, `db_page.h`): every hash page holds keys and values by turns, a
 * value either in the page or in a chain of overflow pages. Of either byte order.
 */
export function* readBdb(file: FileView, report: Report): Generator<Buffer> {
  const database = openDatabase(file, report);
  if (typeof database === 'string') return report(database);
  let records = 0;
  for (let number = 1; number < database.pages; number += 1) {
    const page = readPage(database, number);
    const type = page[25];
    if (type !== PAGE_TYPE.hash && type !== PAGE_TYPE.unsortedHash) continue;
    const items = u16(database, page, 20);
    if (PAGE_HEAD + items * 2 > page.length) {
      report(`page ${number} cannot have ${items} items`);
      continue;
    }
    for (let key = 0; key + 1 < items; key += 2) {
      records += 1;
      if (records > MOST_RECORDS) return report(`it has more than ${MOST_RECORDS} packages; the rest is not read`);
      const value = readValue(database, page, key);
      if (typeof value === 'string') report(`page ${number}, item ${key + 1}: ${value}`);
      else if (value) yield value;
    }
  }
}

function openDatabase(file: FileView, report: Report): Database | string {
  const meta = file.read(0, META);
  if (meta.length < META) return 'it is no Berkeley DB database';
  const bigEndian = meta.readUInt32BE(12) === HASH_MAGIC;
  if (!bigEndian && meta.readUInt32LE(12) !== HASH_MAGIC) return 'it is no Berkeley DB hash';
  const word = (at: number) => (bigEndian ? meta.readUInt32BE(at) : meta.readUInt32LE(at));
  const [version, pageSize, lastPage] = [word(16), word(20), word(32)];
  if (!VERSIONS.has(version)) return `version ${version} of Berkeley DB hashes is not known`;
  if (!PAGE_SIZES.has(pageSize)) return `pages of ${pageSize} bytes are not possible`;
  if (meta[24] !== 0) return 'it is encrypted';
  if ((meta[26] ?? 0) & CHECKSUM_FLAG) return 'its pages have checksums, which rpm does not write';
  const present = Math.floor(file.size / pageSize);
  if (lastPage >= present) report(`it should have ${lastPage + 1} pages, and has ${present}`);
  return { file, pageSize, pages: Math.min(lastPage + 1, present), bigEndian, used: new Set() };
}

/** The value after a key; undefined for what is no header: the entry with the highest number has a key of zeros. */
function readValue(database: Database, page: Buffer, key: number): Buffer | string | undefined {
  const keyBytes = itemOf(database, page, key);
  const item = itemOf(database, page, key + 1);
  if (!keyBytes || !item) return 'it does not lie in its page';
  if (keyBytes[0] === ITEM.inPage && keyBytes.length > 1 && keyBytes.subarray(1).every((byte) => byte === 0))
    return undefined;
  if (item[0] === ITEM.inPage) return item.subarray(1);
  if (item[0] !== ITEM.offPage) return `items of type ${item[0] ?? 'nothing'} are not known`;
  if (item.length < OFF_PAGE_ITEM) return 'it is too short to lead to other pages';
  return readChain(database, u32(database, item, 4), u32(database, item, 8));
}

/** Items lie from the end of the page towards its start: each ends where the one before it begins. */
function itemOf(database: Database, page: Buffer, index: number): Buffer | undefined {
  const start = u16(database, page, PAGE_HEAD + index * 2);
  const end = index === 0 ? page.length : u16(database, page, PAGE_HEAD + (index - 1) * 2);
  return start >= PAGE_HEAD && start < end && end <= page.length ? page.subarray(start, end) : undefined;
}

function readChain(database: Database, first: number, length: number): Buffer | string {
  if (length > LARGEST_BLOB) return `a header should have ${length} bytes, more than ${LARGEST_BLOB} are not read`;
  const pieces: Buffer[] = [];
  let missing = length;
  for (let number = first; number !== 0 && missing > 0; ) {
    if (number >= database.pages) return `its pages lead to page ${number}, outside the file`;
    if (database.used.has(number)) return `its pages lead to page ${number}, which has been read before`;
    database.used.add(number);
    const page = readPage(database, number);
    if (page[25] !== PAGE_TYPE.overflow) return `its pages lead to page ${number}, which holds something else`;
    const held = Math.min(u16(database, page, 22), page.length - PAGE_HEAD, missing);
    pieces.push(page.subarray(PAGE_HEAD, PAGE_HEAD + held));
    missing -= held;
    number = u32(database, page, 16);
  }
  return missing === 0 ? Buffer.concat(pieces, length) : `${missing} bytes of a header are missing`;
}

function readPage({ file, pageSize }: Database, number: number): Buffer {
  return file.read(number * pageSize, pageSize);
}

function u16({ bigEndian }: Database, bytes: Buffer, at: number): number {
  return bigEndian ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at);
}

function u32({ bigEndian }: Database, bytes: Buffer, at: number): number {
  return bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
}
