import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FileView, viewOf } from '../file-view.ts';
import type { ZipLimits } from './entry.ts';
import { makeZip, type ZipItem } from './make-zip.testing.ts';
import { openZip } from './open-zip.ts';

const MB = 1024 * 1024;
const limits = (): ZipLimits => ({ entries: 1000, bytes: 16 * MB });

function readAll(file: FileView, allowed: ZipLimits = limits(), largest = MB) {
  const archive = openZip(file, allowed);
  const files = [...archive.entries].map((entry) => [entry.name, entry.read(largest)?.toString('utf8')]);
  return { files, problems: archive.problems };
}

const TWO: readonly ZipItem[] = [
  { name: 'folder/' },
  { name: 'folder/a.txt', content: 'some text '.repeat(100) },
  { name: 'b', content: 'kept as it is', stored: true },
];
/** Where a record of a kind first stands. */
function placeOf(bytes: Buffer, signature: number): number {
  const wanted = Buffer.alloc(4);
  wanted.writeUInt32LE(signature);
  return bytes.indexOf(wanted);
}

/** The signature of the last record is another one. */
function damagedRecord() {
  const bytes = makeZip(TWO);
  bytes[bytes.lastIndexOf('PK\x01\x02') + 3] = 3;
  return bytes;
}

const TWO_FILES = [
  ['folder/a.txt', 'some text '.repeat(100)],
  ['b', 'kept as it is'],
];

describe('openZip', () => {
  it.each([
    ['a plain archive', makeZip(TWO)],
    ['one with a launcher before it', makeZip(TWO, { before: Buffer.from('#!/bin/sh\nexec java -jar "$0"\n') })],
    ['one with a comment', makeZip(TWO, { comment: Buffer.from('a comment') })],
    ['one whose comment holds an end record', makeZip(TWO, { comment: makeZip([]).subarray(0, 18) })],
    ['zip64', makeZip(TWO, { zip64: true })],
    ['zip64 with a launcher before it', makeZip(TWO, { zip64: true, before: Buffer.alloc(1000, 1) })],
    ['one with bytes after its end', Buffer.concat([makeZip(TWO), Buffer.from('left over')])],
  ])('reads %s', (_what, bytes) => {
    expect(readAll(viewOf(bytes))).toEqual({ files: TWO_FILES, problems: [] });
  });

  it('reads an empty archive', () => {
    expect(readAll(viewOf(makeZip([])))).toEqual({ files: [], problems: [] });
  });

  it('reads a directory larger than its window', () => {
    const items = Array.from({ length: 4000 }, (_, at) => ({ name: `${'d'.repeat(60)}/${at}` }));
    const archive = openZip(viewOf(makeZip(items)), { entries: 10_000, bytes: 0 });
    expect([...archive.entries].map(({ name }) => name)).toEqual(items.map(({ name }) => name));
  });

  it('opens an archive inside without copying it', () => {
    const inner = makeZip(TWO);
    const outer = openZip(viewOf(makeZip([{ name: 'inner.jar', content: inner, stored: true }])), limits());
    const shared = { entries: 10, bytes: 1013 };
    const [entry] = outer.entries;
    const view = entry?.view(MB);
    expect(view?.size).toBe(inner.length);
    expect(view && readAll(view, shared)).toEqual({ files: TWO_FILES, problems: [] });
    expect(shared).toEqual({ entries: 7, bytes: 0 });
  });

  it.each([
    ['./a//b/../c', 'a/c'],
    ['/etc/passwd', 'etc/passwd'],
    ['../../etc/passwd', 'etc/passwd'],
    ['a\\b.dll', 'a/b.dll'],
    ['ü.txt', 'ü.txt'],
  ])('calls %s %s', (name, expected) => {
    expect(readAll(viewOf(makeZip([{ name }]))).files).toEqual([[expected, '']]);
  });

  it('leaves out names that no file can have', () => {
    const items = ['a\0b', 'a\x1b[31m', 'x'.repeat(5000), '.', 'good'].map((name) => ({ name }));
    const { files, problems } = readAll(viewOf(makeZip(items)));
    expect(files).toEqual([['good', '']]);
    expect(problems).toEqual(['4 entries have names that no file can have']);
  });
});

describe('openZip on hostile files', () => {
  const content = 'x'.repeat(1000);
  const damaged = (signature: number, at: number, value: number) => {
    const bytes = makeZip([{ name: 'a', content }]);
    bytes.writeUInt16LE(value, placeOf(bytes, signature) + at);
    return bytes;
  };

  it.each([
    ['nothing', Buffer.alloc(0), /no zip archive/],
    ['noise', Buffer.alloc(1000, 'PK'), /no zip archive/],
    ['a cut file', makeZip([{ name: 'a', content }]).subarray(0, -30), /no zip archive/],
    ['a directory that starts elsewhere', damaged(0x06054b50, 12, 3), /no zip archive/],
    ['a damaged second record', damagedRecord(), /directory of the archive is damaged/],
    ['an encrypted entry', makeZip([{ name: 'a', content, lie: { flags: 1 } }]), /a is encrypted/],
    ['a packing nobody reads', makeZip([{ name: 'a', content, lie: { method: 93 } }]), /a is packed with Zstandard/],
    ['a packing nobody knows', makeZip([{ name: 'a', content, lie: { method: 77 } }]), /a is packed with method 77/],
    [
      'more content than stated',
      makeZip([{ name: 'a', content, lie: { size: 10 } }]),
      /a is longer than the directory/,
    ],
    [
      'far more bytes than stated',
      makeZip([{ name: 'a', content: randomBytes(MB), lie: { size: 10 } }]),
      /a is longer packed/,
    ],
    ['less content than stated', makeZip([{ name: 'a', content, lie: { size: 2000 } }]), /a has another size/],
    ['two sizes', makeZip([{ name: 'a', content, stored: true, lie: { size: 10 } }]), /a is stored with two different/],
    ['an offset into nowhere', makeZip([{ name: 'a', content, lie: { at: 9999 } }]), /a is not where/],
    ['an end beyond the file', damaged(0x02014b50, 22, 9), /a ends after the archive/],
    ['a stream that is none', damaged(0x04034b50, 26, 4), /a cannot be unpacked/],
    ['a file larger than is read', makeZip([{ name: 'a', content: Buffer.alloc(2 * MB) }]), /a has 2097152 bytes/],
  ])('finds a problem in %s', (_what, bytes, problem) => {
    const { files, problems } = readAll(viewOf(bytes));
    expect(files.find(([name]) => name === 'a')?.[1]).toBeUndefined();
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it('refuses entries that share their bytes', () => {
    const kernel = { name: 'a', content: Buffer.alloc(MB) };
    const bomb = makeZip([kernel, ...Array.from({ length: 50 }, (_, at) => ({ name: `b${at}`, lie: { at: 0 } }))]);
    expect(readAll(viewOf(bomb))).toEqual({ files: [], problems: [expect.stringMatching(/lie over each other/)] });
  });

  it('takes a directory in another order than the file', () => {
    const items = [
      { name: 'a', lie: { at: 33 } },
      { name: 'b', lie: { at: 0 } },
    ];
    expect(readAll(viewOf(makeZip(items))).problems).toEqual([]);
  });

  it('stops when all entries together are too large', () => {
    const items = Array.from({ length: 10 }, (_, at) => ({ name: `a${at}`, content: Buffer.alloc(MB) }));
    const allowed = { entries: 100, bytes: 3.5 * MB };
    const { files, problems } = readAll(viewOf(makeZip(items)), allowed);
    expect(files.filter(([, text]) => text !== undefined)).toHaveLength(3);
    expect(problems[0]).toMatch(/a3 and what follows is not read/);
    expect(problems).toHaveLength(7);
  });

  it('stops when there are too many entries', () => {
    const items = Array.from({ length: 10 }, (_, at) => ({ name: `a${at}` }));
    expect(readAll(viewOf(makeZip(items)), { entries: 9, bytes: 0 })).toEqual({
      files: [],
      problems: ['it has more entries than are read'],
    });
  });

  it('keeps a bounded number of problems', () => {
    const items = Array.from({ length: 500 }, (_, at) => ({ name: `a${at}`, lie: { flags: 1 } }));
    expect(readAll(viewOf(makeZip(items))).problems).toHaveLength(50);
  });

  it.each([
    ['any bytes', fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes))],
    [
      'changed archives',
      fc
        .tuple(
          fc.boolean(),
          fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), {
            minLength: 1,
            maxLength: 8,
          }),
          fc.nat(60),
        )
        .map(([zip64, changes, cut]) => {
          const bytes = makeZip(TWO, { zip64 });
          for (const [where, value] of changes) bytes[Math.floor(where * bytes.length)] = value;
          return bytes.subarray(0, bytes.length - (cut > 50 ? cut - 50 : 0));
        }),
    ],
  ])('never throws and keeps its limits: %s', (_what, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (bytes) => {
        const { files } = readAll(viewOf(bytes), limits(), 5000);
        for (const [, text] of files) expect((text ?? '').length).toBeLessThanOrEqual(5000);
      }),
      { numRuns: 1000 },
    );
  });
});
