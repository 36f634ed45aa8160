import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipItem {
  readonly name: string;
  readonly content?: Buffer | string;
  /** Kept as it is instead of deflated. */
  readonly stored?: boolean;
  /** Fields of the directory that say something else than the truth. */
  readonly lie?: { readonly size?: number; readonly method?: number; readonly flags?: number; readonly at?: number };
}

export interface ZipShape {
  /** Bytes before the archive; offsets do not count them. */
  readonly before?: Buffer;
  readonly comment?: Buffer;
  /** Sizes and offsets in the extended fields and records. */
  readonly zip64?: boolean;
}

/** An archive written for a test. */
export function makeZip(items: readonly ZipItem[], { before, comment, zip64 }: ZipShape = {}): Buffer {
  const locals: Buffer[] = [];
  const records: Buffer[] = [];
  let at = 0;
  for (const { name, content = '', stored = false, lie = {} } of items) {
    const raw = Buffer.from(content);
    const data = stored ? raw : deflateRawSync(raw);
    const method = stored ? 0 : 8;
    const encoded = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(crc32(raw), 14);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(raw.length, 22);
    local.writeUInt16LE(encoded.length, 26);
    locals.push(local, encoded, data);

    const size = lie.size ?? raw.length;
    const offset = lie.at ?? at;
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt16LE(lie.flags ?? 0x800, 8);
    record.writeUInt16LE(lie.method ?? method, 10);
    record.writeUInt32LE(crc32(raw), 16);
    record.writeUInt32LE(zip64 ? 0xffffffff : data.length, 20);
    record.writeUInt32LE(zip64 ? 0xffffffff : size, 24);
    record.writeUInt16LE(encoded.length, 28);
    record.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
    const extra = zip64 ? longField([size, data.length, offset]) : Buffer.alloc(0);
    record.writeUInt16LE(extra.length, 30);
    records.push(record, encoded, extra);
    at += 30 + encoded.length + data.length;
  }
  const directory = Buffer.concat(records);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : items.length, 8);
  end.writeUInt16LE(zip64 ? 0xffff : items.length, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : at, 16);
  end.writeUInt16LE(comment?.length ?? 0, 20);
  const long = zip64 ? longEnd(directory.length, at) : Buffer.alloc(0);
  return Buffer.concat([before ?? Buffer.alloc(0), ...locals, directory, long, end, comment ?? Buffer.alloc(0)]);
}

function longField(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  for (const [index, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * index);
  return field;
}

function longEnd(size: number, at: number): Buffer {
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(at), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(at + size), 64);
  return record;
}
