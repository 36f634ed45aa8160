import { DatabaseSync } from 'node:sqlite';

/** Fields of a header by their numbers: a string, several, or 32-bit numbers. */
export type HeaderFields = Readonly<Record<number, string | readonly string[] | readonly number[]>>;

const INT32 = 4;
const STRING = 6;
const STRING_ARRAY = 8;

/** A package header as databases hold it. */
export function makeHeader(fields: HeaderFields): Buffer {
  const entries: Buffer[] = [];
  let data = Buffer.alloc(0);
  for (const [tag, value] of Object.entries(fields)) {
    const numbers = typeof value !== 'string' && typeof value[0] === 'number';
    const padding = numbers ? (4 - (data.length % 4)) % 4 : 0;
    const entry = Buffer.alloc(16);
    entry.writeUInt32BE(Number(tag), 0);
    entry.writeUInt32BE(typeof value === 'string' ? STRING : numbers ? INT32 : STRING_ARRAY, 4);
    entry.writeUInt32BE(data.length + padding, 8);
    entry.writeUInt32BE(typeof value === 'string' ? 1 : value.length, 12);
    entries.push(entry);
    data = Buffer.concat([data, Buffer.alloc(padding), encode(value)]);
  }
  const intro = Buffer.alloc(8);
  intro.writeUInt32BE(entries.length, 0);
  intro.writeUInt32BE(data.length, 4);
  return Buffer.concat([intro, ...entries, data]);
}

function encode(value: HeaderFields[number]): Buffer {
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  return Buffer.concat(
    value.map((one) => {
      if (typeof one === 'string') return Buffer.from(`${one}\0`);
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(one);
      return bytes;
    }),
  );
}

/** A database of SQLite itself. */
export function makeSqlite(headers: readonly Uint8Array[], pageSize = 4096): Buffer {
  const database = new DatabaseSync(':memory:');
  database.exec(`PRAGMA page_size = ${pageSize}`);
  database.exec('CREATE TABLE Other (a, b); CREATE INDEX Other_a ON Other (a)');
  database.exec("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)");
  const insert = database.prepare('INSERT INTO Packages (blob) VALUES (?)');
  for (const header of headers) insert.run(header);
  const bytes = Buffer.from(database.serialize());
  database.close();
  return bytes;
}

/** A database of rpm's own format, with one page of slots for each 254 packages. */
export function makeNdb(headers: readonly Uint8Array[]): Buffer {
  const pages = Math.max(1, Math.ceil((headers.length + 2) / 256));
  const slots = Buffer.alloc(pages * 4096);
  slots.write('RpmP', 0, 'latin1');
  slots.writeUInt32LE(pages, 12);
  for (let at = 32; at < slots.length; at += 16) slots.write('Slot', at, 'latin1');
  const blobs: Buffer[] = [];
  let block = slots.length / 16;
  for (const [at, header] of headers.entries()) {
    const blocks = Math.ceil((16 + header.length + 12) / 16);
    const slot = 32 + at * 16;
    slots.writeUInt32LE(at + 1, slot + 4);
    slots.writeUInt32LE(block, slot + 8);
    slots.writeUInt32LE(blocks, slot + 12);
    const blob = Buffer.alloc(blocks * 16);
    blob.write('BlbS', 0, 'latin1');
    blob.writeUInt32LE(at + 1, 4);
    blob.writeUInt32LE(header.length, 12);
    blob.set(header, 16);
    blobs.push(blob);
    block += blocks;
  }
  return Buffer.concat([slots, ...blobs]);
}

/** A Berkeley DB hash of one bucket chain: values in the page when they are short, else in overflow pages. */
export function makeBdb(
  headers: readonly Uint8Array[],
  { bigEndian = false, pageSize = 4096 }: { readonly bigEndian?: boolean; readonly pageSize?: number } = {},
): Buffer {
  const pages: Buffer[] = [newPage(pageSize, 8)];
  const u16 = (page: Buffer, at: number, value: number) =>
    bigEndian ? page.writeUInt16BE(value, at) : page.writeUInt16LE(value, at);
  const u32 = (page: Buffer, at: number, value: number) =>
    bigEndian ? page.writeUInt32BE(value, at) : page.writeUInt32LE(value, at);

  let hash: Buffer | undefined;
  let items = 0;
  let free = pageSize;
  const put = (item: Buffer): void => {
    if (!hash) return;
    free -= item.length;
    hash.set(item, free);
    u16(hash, 26 + items * 2, free);
    items += 1;
    u16(hash, 20, items);
  };
  const chain = (header: Uint8Array): Buffer => {
    const first = pages.length;
    const room = pageSize - 26;
    for (let at = 0; at < header.length; at += room) {
      const page = newPage(pageSize, 7);
      const piece = header.subarray(at, at + room);
      page.set(piece, 26);
      u16(page, 22, piece.length);
      if (at + room < header.length) u32(page, 16, pages.length + 1);
      pages.push(page);
    }
    const item = Buffer.alloc(12);
    item[0] = 3;
    u32(item, 4, first);
    u32(item, 8, header.length);
    return item;
  };
  for (const [at, header] of [Buffer.alloc(4, 9), ...headers].entries()) {
    const value = header.length < pageSize / 4 ? Buffer.concat([Buffer.from([1]), header]) : chain(header);
    if (!hash || 26 + (items + 2) * 2 + value.length + 5 > free) {
      hash = newPage(pageSize, at % 2 === 0 ? 13 : 2);
      pages.push(hash);
      items = 0;
      free = pageSize;
    }
    // The key of zeros leads to the highest package number.
    const key = Buffer.alloc(5);
    key[0] = 1;
    u32(key, 1, at);
    put(key);
    put(value);
  }
  const meta = pages[0] as Buffer;
  u32(meta, 12, 0x061561);
  u32(meta, 16, 9);
  u32(meta, 20, pageSize);
  u32(meta, 32, pages.length - 1);
  return Buffer.concat(pages);
}

function newPage(size: number, type: number): Buffer {
  const page = Buffer.alloc(size);
  page[25] = type;
  return page;
}
