import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { readBdb } from './bdb.ts';
import type { BlobReader } from './blob-reader.ts';
import { rpmCataloger } from './cataloger.ts';
import { readNdb } from './ndb.ts';
import { makeBdb, makeHeader, makeNdb, makeSqlite } from './rpm.testing.ts';
import { readSqlite } from './sqlite.ts';

function read(reader: BlobReader, bytes: Buffer): { blobs: Buffer[]; problems: string[] } {
  const problems: string[] = [];
  return { blobs: [...reader(viewOf(bytes), (problem) => problems.push(problem))], problems };
}

/** The bytes with some written over. */
function changed(
  bytes: Buffer,
  ...changes: readonly (readonly [at: number, value: number, size: 1 | 2 | 4])[]
): Buffer {
  const copy = Buffer.from(bytes);
  for (const [at, value, size] of changes) copy.writeUIntBE(value, at, size);
  return copy;
}

/** Pages of a SQLite database with the given first byte. */
const pagesOf = (bytes: Buffer, type: number) =>
  Array.from({ length: bytes.length / 4096 }, (_, at) => at).filter((at) => at > 0 && bytes[at * 4096] === type);
const little = (value: number): number => Buffer.from(Uint32Array.of(value).buffer).readUInt32BE(0);
const long = Buffer.alloc(9000, 'x');
const short = Buffer.alloc(300, 'y');
const named = (name: string, more = {}) =>
  makeHeader({ 1000: name, 1001: '1.0', 1002: '2', 1011: 'Fedora Project', ...more });

const FORMATS = [
  ['NDB', readNdb, 'Packages.db', (headers: readonly Uint8Array[]) => makeNdb(headers)],
  ['BDB', readBdb, 'Packages', (headers: readonly Uint8Array[]) => makeBdb(headers)],
  ['BDB, big-endian', readBdb, 'Packages', (headers: readonly Uint8Array[]) => makeBdb(headers, { bigEndian: true })],
  ['BDB, small pages', readBdb, 'Packages', (headers: readonly Uint8Array[]) => makeBdb(headers, { pageSize: 512 })],
  ['SQLite', readSqlite, 'rpmdb.sqlite', (headers: readonly Uint8Array[]) => makeSqlite(headers)],
  ['SQLite, small pages', readSqlite, 'rpmdb.sqlite', (headers: readonly Uint8Array[]) => makeSqlite(headers, 512)],
  ['SQLite, largest pages', readSqlite, 'rpmdb.sqlite', (headers: readonly Uint8Array[]) => makeSqlite(headers, 65536)],
] as const;

const sizes = fc.array(fc.oneof(fc.nat(600), fc.nat(20_000)), { maxLength: 40 });

describe.each(FORMATS)('%s', (_format, reader, fileName, make) => {
  it('gives every header as it was put in', () => {
    fc.assert(
      fc.property(sizes, (lengths) => {
        const headers = lengths.map((length, at) => Buffer.alloc(length + 1, at + 1));
        const { blobs, problems } = read(reader, make(headers));
        expect(problems).toEqual([]);
        expect(blobs.map((blob) => blob.toString('latin1')).sort()).toEqual(
          headers.map((header) => header.toString('latin1')).sort(),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('gives six hundred headers', () => {
    const headers = Array.from({ length: 600 }, (_, at) => named(`package-${at}`));
    const found = rpmCataloger.catalog(`var/lib/rpm/${fileName}`, viewOf(make(headers)));
    expect(found.problems).toEqual([]);
    expect(new Set(found.packages?.map(({ name }) => name)).size).toBe(600);
  });

  it('survives damage: it says so or gives less, and never more than the file can hold', () => {
    const intact = make(Array.from({ length: 12 }, (_, at) => named(`p${at}`, { 1014: 'x'.repeat(at * 700) })));
    const damage = fc.array(
      fc.record({
        at: fc.oneof(fc.nat(200), fc.nat(intact.length - 4)),
        value: fc.oneof(fc.constantFrom(0, 1, 2, 0x7fffffff, 0xffffffff, little(1)), fc.nat(0xffffffff), fc.nat(40)),
        size: fc.constantFrom<(1 | 2 | 4)[]>(1, 2, 4),
      }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(damage, fc.nat(intact.length), fc.boolean(), (changes, end, cut) => {
        const damaged = changed(
          intact,
          ...changes.map(({ at, value, size }) => [at, value % 256 ** size, size] as const),
        );
        const found = rpmCataloger.catalog(`var/lib/rpm/${fileName}`, viewOf(cut ? damaged.subarray(0, end) : damaged));
        for (const pkg of found.packages ?? []) expect(`${pkg.name} ${pkg.version}`).toMatch(/^\S+ \S+$/);
        expect(found.packages?.length).toBeLessThan(50);
      }),
      { numRuns: 400 },
    );
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(read(reader, Buffer.from(bytes)).problems.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a database that rpm wrote', () => {
  const real = gunzipSync(readFileSync(join(import.meta.dirname, 'testdata', 'epoch.Packages.gz')));

  it('is read', () => {
    expect(rpmCataloger.catalog('var/lib/rpm/Packages', viewOf(real))).toMatchObject({
      packages: [{ type: 'rpm', name: 'hello', version: '1:0.0.1-rls', arch: 'x86_64', thirdParty: true }],
      problems: [],
    });
  });

  it('survives damage', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 }),
        (changes) => {
          const damaged = changed(real, ...changes.map(([at, value]) => [at, value, 1] as const));
          const found = rpmCataloger.catalog('var/lib/rpm/Packages', viewOf(damaged));
          expect(found.packages?.length).toBeLessThan(20);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('hostile databases', () => {
  const ndb = makeNdb([short, long]);
  const bdb = makeBdb([long, Buffer.alloc(9000, 'z')]);
  const sqlite = makeSqlite([long, short]);
  /** Where the leaf with so many records begins: other tables have one. */
  const leafOf = (bytes: Buffer, cells: number) =>
    (pagesOf(bytes, 0x0d).find((at) => bytes.readUInt16BE(at * 4096 + 3) === cells) ?? 0) * 4096;
  const leaf = leafOf(sqlite, 2);
  const chained = makeSqlite(Array.from({ length: 60 }, () => short));
  const interior = (pagesOf(chained, 0x05)[0] ?? 0) * 4096;
  const overflow = Array.from({ length: bdb.length / 4096 }, (_, at) => at * 4096).filter((at) => bdb[at + 25] === 7);
  const hash =
    Array.from({ length: bdb.length / 4096 }, (_, at) => at * 4096).find((at) => [13, 2].includes(bdb[at + 25] ?? 0)) ??
    0;

  it.each<readonly [string, BlobReader, Buffer, number, RegExp]>([
    ['NDB of another version', readNdb, changed(ndb, [4, little(1), 4]), 0, /version 1 of the NDB format is not known/],
    ['NDB with more slots than file', readNdb, changed(ndb, [12, 0xffffffff, 4]), 2, /should have 4294967295 pages/],
    ['NDB slots that are none', readNdb, changed(ndb, [48, 0, 4]), 1, /page 0 holds something that is no slot/],
    ['NDB slots of one package', readNdb, changed(ndb, [52, little(1), 4]), 1, /package 1 has two slots/],
    ['NDB slot outside', readNdb, changed(ndb, [40, 0xffffffff, 4]), 1, /package 1: its slot leads outside/],
    ['NDB slot to the start', readNdb, changed(ndb, [40, 0, 4]), 1, /package 1: its slot leads to something else/],
    ['NDB blob too long', readNdb, changed(ndb, [4096 + 12, 0xffffffff, 4]), 1, /more than 67108864 are not read/],
    ['NDB blob longer than the file', readNdb, changed(ndb, [4096 + 12, little(1e6), 4]), 1, /ends outside the file/],
    ['BDB of another kind', readBdb, changed(bdb, [12, 0x62310500, 4]), 0, /it is no Berkeley DB hash/],
    ['BDB of another version', readBdb, changed(bdb, [16, little(7), 4]), 0, /version 7 .* is not known/],
    ['BDB without page size', readBdb, changed(bdb, [20, 0, 4]), 0, /pages of 0 bytes are not possible/],
    ['BDB, encrypted', readBdb, changed(bdb, [24, 1, 1]), 0, /it is encrypted/],
    ['BDB with checksums', readBdb, changed(bdb, [26, 1, 1]), 0, /its pages have checksums/],
    ['BDB with more pages than file', readBdb, changed(bdb, [32, 0xffffffff, 4]), 2, /should have 4294967296 pages/],
    ['BDB page with too many items', readBdb, changed(bdb, [hash + 20, 0xffff, 2]), 0, /cannot have 65535 items/],
    ['BDB item outside its page', readBdb, changed(bdb, [hash + 26 + 6, 0xffff, 2]), 0, /does not lie in its page/],
    [
      'BDB chain in a circle',
      readBdb,
      changed(bdb, [(overflow[0] ?? 0) + 16, little((overflow[0] ?? 0) / 4096), 4]),
      1,
      /has been read before/,
    ],
    [
      'BDB chain outside',
      readBdb,
      changed(bdb, [(overflow[0] ?? 0) + 16, 0xffffffff, 4]),
      1,
      /page 4294967295, outside the file/,
    ],
    [
      'BDB chain to a hash page',
      readBdb,
      changed(bdb, [(overflow[0] ?? 0) + 16, little(hash / 4096), 4]),
      1,
      /which holds something else/,
    ],
    [
      'BDB chain that ends early',
      readBdb,
      changed(bdb, [(overflow[0] ?? 0) + 16, 0, 4]),
      1,
      /bytes of a header are missing/,
    ],
    ['SQLite without page size', readSqlite, changed(sqlite, [16, 3, 2]), 0, /pages of 3 bytes are not possible/],
    ['SQLite in UTF-16', readSqlite, changed(sqlite, [56, 2, 4]), 0, /its text is UTF-16/],
    ['SQLite leaf of another kind', readSqlite, changed(sqlite, [leaf, 0x0a, 1]), 0, /is no page of a table/],
    ['SQLite leaf with too many cells', readSqlite, changed(sqlite, [leaf + 3, 0xffff, 2]), 0, /more cells than room/],
    ['SQLite cell outside', readSqlite, changed(sqlite, [leaf + 8, 0xffff, 2]), 1, /a record lies outside the page/],
    [
      'SQLite cells that are one',
      readSqlite,
      changed(sqlite, [leaf + 10, sqlite.readUInt16BE(leaf + 8), 2]),
      1,
      /has been read before/,
    ],
    [
      'SQLite tree in a circle',
      readSqlite,
      changed(chained, [interior + 8, interior / 4096 + 1, 4]),
      48,
      /page \d+ has been read before/,
    ],
    [
      'SQLite tree that leads outside',
      readSqlite,
      changed(chained, [interior + 8, 0xffffffff, 4]),
      48,
      /there is no page 4294967295/,
    ],
    ['SQLite cut off', readSqlite, sqlite.subarray(0, sqlite.length - 4096), 1, /outside the file|there is no page/],
  ])('%s', (_what, reader, bytes, given, problem) => {
    const { blobs, problems } = read(reader, bytes);
    expect(problems.join('\n')).toMatch(problem);
    expect(blobs.length).toBeGreaterThanOrEqual(given === 48 ? 30 : given);
    expect(blobs.length).toBeLessThanOrEqual(given === 48 ? 59 : given);
  });

  it('does not take more branches than pages', () => {
    const wide = Buffer.from(chained);
    wide.writeUInt16BE(1500, interior + 3);
    const { problems } = read(readSqlite, wide);
    expect(problems).toEqual(['its tree has more branches than the file has pages']);
  });

  it('counts a record once, however many slots or cells lead to it', () => {
    const one = named('a', { 1014: 'x'.repeat(2000) });
    const many = makeSqlite([named('b'), one]);
    const page = leafOf(many, 2);
    many.writeUInt16BE(500, page + 3);
    for (let at = 0; at < 500; at += 1) many.writeUInt16BE(many.readUInt16BE(page + 10), page + 8 + at * 2);
    const found = rpmCataloger.catalog('var/lib/rpm/rpmdb.sqlite', viewOf(many));
    expect(found.packages?.length).toBeLessThanOrEqual(many.length / one.length);
    expect(found.problems?.at(-1)).toMatch(/^its packages overlap: together they are larger than the file/);
  });
});
