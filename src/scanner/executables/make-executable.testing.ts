/** A section to write into an executable of a test. */
export interface SectionItem {
  readonly name: string;
  /** Where its own address matters, made from it. */
  readonly content: Buffer | ((address: number) => Buffer);
  readonly code?: boolean;
  readonly writable?: boolean;
}

interface Order {
  readonly bits?: 32 | 64;
  readonly bigEndian?: boolean;
}

/** Addresses begin here, offsets in the file follow them. */
const BASE = 0x400000;
/** Headers of every format fit into this. */
const HEADERS = 4096;

interface Placed extends SectionItem {
  readonly at: number;
  readonly bytes: Buffer;
}

function place(items: readonly SectionItem[]): readonly Placed[] {
  let at = HEADERS;
  return items.map((item) => {
    const bytes = typeof item.content === 'function' ? item.content(BASE + at) : item.content;
    const placed = { ...item, at, bytes };
    at += (bytes.length + 15) & ~15;
    return placed;
  });
}

function withContents(head: Buffer, placed: readonly Placed[]): Buffer {
  const end = Math.max(head.length, HEADERS, ...placed.map(({ at, bytes }) => at + bytes.length));
  const file = Buffer.alloc(end);
  head.copy(file);
  for (const { at, bytes } of placed) bytes.copy(file, at);
  return file;
}

/** Writes numbers in an order, one after another. */
export function fields(
  { bits = 64, bigEndian = false }: Order,
  ...values: readonly (readonly [kind: 'u8' | 'u16' | 'u32' | 'u64' | 'word' | 'text16', value: number | string])[]
): Buffer {
  return Buffer.concat(
    values.map(([kind, value]) => {
      if (typeof value === 'string') return Buffer.alloc(16, value.padEnd(16, '\0'), 'latin1');
      const length = { u8: 1, u16: 2, u32: 4, u64: 8, word: bits / 8, text16: 16 }[kind];
      const bytes = Buffer.alloc(length);
      if (length === 8) bytes.writeBigUInt64BE(BigInt(value));
      else bytes.writeUIntBE(value, 0, length);
      return bigEndian ? bytes : bytes.reverse();
    }),
  );
}

/** An ELF program with these sections, each a segment too. `nameless`: without section headers, as `sstrip` leaves it. */
export function makeElf(items: readonly SectionItem[], order: Order & { readonly nameless?: boolean } = {}): Buffer {
  const { bits = 64, bigEndian = false, nameless = false } = order;
  const wide = bits === 64;
  const names = Buffer.from(`\0${items.map(({ name }) => name).join('\0')}\0.shstrtab\0`, 'latin1');
  const placed = place([...items, { name: '.shstrtab', content: names }]);
  const put = (...values: Parameters<typeof fields> extends [unknown, ...infer Rest] ? Rest : never) =>
    fields(order, ...values);
  const [headerSize, segmentSize, sectionSize] = wide ? [64, 56, 64] : [52, 32, 40];
  const segments = placed.slice(0, -1).map(({ at, bytes, code, writable }) => {
    const flags = 4 + (writable ? 2 : 0) + (code ? 1 : 0);
    return wide
      ? put(
          ['u32', 1],
          ['u32', flags],
          ['u64', at],
          ['u64', BASE + at],
          ['u64', 0],
          ['u64', bytes.length],
          ['u64', 0],
          ['u64', 16],
        )
      : put(
          ['u32', 1],
          ['u32', at],
          ['u32', BASE + at],
          ['u32', 0],
          ['u32', bytes.length],
          ['u32', 0],
          ['u32', flags],
          ['u32', 16],
        );
  });
  const sections = placed.map(({ name, at, bytes, code, writable }) =>
    put(
      ['u32', names.indexOf(`\0${name}\0`) + 1],
      ['u32', name === '.shstrtab' ? 3 : 1],
      ['word', name === '.shstrtab' ? 0 : 2 + (code ? 4 : 0) + (writable ? 1 : 0)],
      ['word', BASE + at],
      ['word', at],
      ['word', bytes.length],
      ['u32', 0],
      ['u32', 0],
      ['word', 16],
      ['word', 0],
    ),
  );
  const sectionsAt = headerSize + segments.length * segmentSize;
  const header = Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, bigEndian ? 2 : 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    put(
      ['u16', 2],
      ['u16', 62],
      ['u32', 1],
      ['word', BASE],
      ['word', headerSize],
      ['word', nameless ? 0 : sectionsAt],
      ['u32', 0],
    ),
    put(['u16', headerSize], ['u16', segmentSize], ['u16', segments.length]),
    put(['u16', sectionSize], ['u16', nameless ? 0 : placed.length + 1], ['u16', nameless ? 0 : placed.length]),
  ]);
  return withContents(Buffer.concat([header, ...segments, Buffer.alloc(sectionSize), ...sections]), placed);
}

/** A Windows program with these sections. */
export function makePe(items: readonly SectionItem[], { bits = 64 }: Pick<Order, 'bits'> = {}): Buffer {
  const placed = place(items);
  const order: Order = { bits };
  const optional = Buffer.alloc(bits === 64 ? 240 : 224);
  optional.writeUInt16LE(bits === 64 ? 0x20b : 0x10b);
  if (bits === 64) optional.writeBigUInt64LE(BigInt(BASE), 24);
  else optional.writeUInt32LE(BASE, 28);
  const dos = Buffer.alloc(128);
  dos.write('MZ');
  dos.writeUInt32LE(128, 0x3c);
  const sections = placed.map(({ name, at, bytes, code, writable }) => {
    const flags = 0x4000_0000 + (code ? 0x2000_0020 : 0x40) + (writable ? 0x8000_0000 : 0);
    const numbers = fields(
      order,
      ['u32', bytes.length],
      ['u32', at],
      ['u32', bytes.length],
      ['u32', at],
      ['u32', 0],
      ['u32', 0],
      ['u32', 0],
      ['u32', flags],
    );
    return Buffer.concat([Buffer.alloc(8, name.padEnd(8, '\0'), 'latin1'), numbers]);
  });
  const coff = fields(
    order,
    ['u16', 0x8664],
    ['u16', placed.length],
    ['u32', 0],
    ['u32', 0],
    ['u32', 0],
    ['u16', optional.length],
    ['u16', 2],
  );
  return withContents(Buffer.concat([dos, Buffer.from('PE\0\0'), coff, optional, ...sections]), placed);
}

/** A macOS program with these sections, one segment for each. */
export function makeMachO(items: readonly SectionItem[], order: Order = {}): Buffer {
  const wide = (order.bits ?? 64) === 64;
  const placed = place(items);
  const commands = placed.map(({ name, at, bytes, code, writable }) => {
    const address = BASE + at;
    const protection = 1 + (writable ? 2 : 0) + (code ? 4 : 0);
    const segment = writable ? '__DATA' : '__TEXT';
    return Buffer.concat([
      fields(order, ['u32', wide ? 0x19 : 1], ['u32', wide ? 152 : 124], ['text16', segment]),
      fields(order, ['word', address], ['word', bytes.length], ['word', at], ['word', bytes.length]),
      fields(order, ['u32', 7], ['u32', protection], ['u32', 1], ['u32', 0]),
      fields(order, ['text16', name], ['text16', segment], ['word', address], ['word', bytes.length], ['u32', at]),
      fields(order, ['u32', 4], ['u32', 0], ['u32', 0], ['u32', code ? 0x8000_0000 : 0], ['u32', 0], ['u32', 0]),
      Buffer.alloc(wide ? 4 : 0),
    ]);
  });
  const size = commands.reduce((total, one) => total + one.length, 0);
  const header = fields(
    order,
    ['u32', wide ? 0xfeedfacf : 0xfeedface],
    ['u32', 7],
    ['u32', 3],
    ['u32', 2],
    ['u32', commands.length],
    ['u32', size],
    ['u32', 0],
  );
  return withContents(Buffer.concat([header, Buffer.alloc(wide ? 4 : 0), ...commands]), placed);
}

/** One file with programs for several processors. */
export function makeFat(programs: readonly Buffer[]): Buffer {
  const order: Order = { bits: 32, bigEndian: true };
  let at = HEADERS;
  const places = programs.map((program) => {
    const record = fields(order, ['u32', 7], ['u32', 3], ['u32', at], ['u32', program.length], ['u32', 12]);
    at += program.length;
    return record;
  });
  const head = Buffer.concat([fields(order, ['u32', 0xcafebabe], ['u32', programs.length]), ...places]);
  return Buffer.concat([head, Buffer.alloc(HEADERS - head.length), ...programs]);
}
