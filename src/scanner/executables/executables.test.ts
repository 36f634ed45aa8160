import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../file-view.ts';
import { placeOf } from './executable.ts';
import { makeElf, makeFat, makeMachO, makePe, type SectionItem } from './make-executable.testing.ts';
import { isExecutable, openExecutable } from './open.ts';

const CODE: SectionItem = { name: '.text', content: Buffer.from('code'), code: true };
const DATA: SectionItem = { name: '.mine', content: Buffer.from('hello'), writable: true };
const ITEMS = [CODE, DATA];

const open = (bytes: Buffer) => openExecutable(viewOf(bytes));

const ALL: readonly (readonly [string, Buffer])[] = [
  ['ELF, 64 bits', makeElf(ITEMS)],
  ['ELF, 32 bits', makeElf(ITEMS, { bits: 32 })],
  ['ELF, 64 bits, big endian', makeElf(ITEMS, { bigEndian: true })],
  ['ELF, 32 bits, big endian', makeElf(ITEMS, { bits: 32, bigEndian: true })],
  ['PE, 64 bits', makePe(ITEMS)],
  ['PE, 32 bits', makePe(ITEMS, { bits: 32 })],
  ['Mach-O, 64 bits', makeMachO(ITEMS)],
  ['Mach-O, 32 bits, big endian', makeMachO(ITEMS, { bits: 32, bigEndian: true })],
  ['Mach-O for two processors', makeFat([makeMachO(ITEMS), makeMachO(ITEMS, { bits: 32 })])],
];

describe('openExecutable', () => {
  it.each(ALL)('reads the sections and segments of %s', (_what, bytes) => {
    const { executables, problems } = open(bytes);
    expect([executables.length > 0, problems]).toEqual([true, []]);
    expect(isExecutable(bytes.subarray(0, 64))).toBe(true);
    for (const executable of executables) {
      const section = executable.sections.find(({ name }) => name === '.mine');
      expect(executable.sections.find(({ name }) => name === '.text')?.holds).toBe('code');
      expect([section?.holds, section?.size]).toEqual(['data', 5]);
      expect(bytes.toString('latin1', section?.at, (section?.at ?? 0) + 5)).toBe('hello');
      const segment = executable.segments.find(({ at }) => at === section?.at);
      expect([segment?.writable, placeOf(executable, (segment?.address ?? 0) + 2)]).toEqual([
        true,
        { at: (section?.at ?? 0) + 2, size: 3 },
      ]);
      expect(placeOf(executable, 0)).toBeUndefined();
    }
  });

  it.each([
    ['a script', Buffer.from('#!/bin/sh\necho UPX!\n')],
    ['a Java class', Buffer.from('cafebabe00000041', 'hex')],
    ['a program of DOS', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(100)])],
    ['an object file', makeElf(ITEMS).fill(1, 16, 17)],
    ['a core dump', makeElf(ITEMS).fill(4, 16, 17)],
    ['nothing', Buffer.alloc(0)],
  ])('sees no program in %s', (_what, bytes) => {
    expect(open(bytes)).toMatchObject({ executables: [] });
  });

  it('asks for no Java class', () => {
    expect(isExecutable(Buffer.from('cafebabe00000041', 'hex'))).toBe(false);
  });

  it.each([
    ['cut off within the header', (bytes: Buffer) => bytes.subarray(0, 40), 'it has no whole ELF header'],
    [
      'cut off before the sections',
      (bytes: Buffer) => bytes.subarray(0, 100),
      'its ELF section headers lie outside the file',
    ],
    [
      'with section headers at the end of memory',
      write64(40, 2n ** 64n - 1n),
      'its ELF section headers lie outside the file',
    ],
    ['with 65,000 sections', write16(60, 65_000), 'it has more ELF sections than are read'],
    [
      'with 2^64 sections',
      write16(60, 0, (bytes) => bytes.writeBigUInt64LE(2n ** 64n - 1n, sectionAt(bytes, 0) + 32)),
      'it has more ELF sections than are read',
    ],
    ['with sections of no size', write16(58, 0), 'its ELF section headers have an odd size'],
    ['with segments of an odd size', write16(54, 3), 'its ELF program headers have an odd size'],
    [
      'with a section of 4 GB',
      (bytes: Buffer) => {
        bytes.writeBigUInt64LE(2n ** 32n, sectionAt(bytes, 2) + 32);
        return bytes;
      },
      '1 of its ELF sections lie outside the file',
    ],
    [
      'packed',
      (bytes: Buffer) => {
        bytes.write('UPX!', 400);
        return bytes;
      },
      'it is packed with UPX: what it was built from cannot be read',
    ],
  ])('has a problem with an ELF file %s', (_what, change, problem) => {
    expect(open(change(makeElf(ITEMS))).problems).toEqual([problem]);
  });

  it.each([
    ['a PE file with 65,535 sections', makePe(ITEMS).fill(0xff, 134, 136)],
    ['a PE file without its sections', makePe(ITEMS).subarray(0, 400)],
    ['a packed PE file', makePe([{ ...CODE, name: 'UPX1' }])],
    ['a Mach-O file with four billion commands', makeMachO(ITEMS).fill(0xff, 16, 20)],
    ['a Mach-O file whose commands have no size', makeMachO(ITEMS).fill(0, 36, 40)],
    [
      'a Mach-O file with four billion sections in a command that ends nowhere',
      makeMachO(ITEMS).fill(0xff, 36, 40).fill(0xff, 96, 100),
    ],
    ['a Mach-O file for processors that are not there', makeFat([makeMachO(ITEMS)]).fill(0x7f, 16, 17)],
  ])('has a problem with %s', (_what, bytes) => {
    expect(open(bytes).problems).toHaveLength(1);
  });

  it('reads little of a large file', () => {
    const bytes = makeElf([...ITEMS, { name: '.rodata', content: Buffer.alloc(4 * 1024 * 1024) }]);
    let read = 0;
    const view = viewOf(bytes);
    openExecutable({
      ...view,
      read: (at, length) => {
        read += length;
        return view.read(at, length);
      },
    });
    expect(read).toBeLessThan(8192);
  });

  it.each(ALL)('stays within the file when %s is changed anywhere in its headers', (_what, original) => {
    const headers = Math.min(original.length, 4096 + 512);
    const change = fc.tuple(fc.nat(headers - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 0xff, 0x7f, 0x80)));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.nat(original.length), (changes, cut) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of changes) bytes[at] = value;
        for (const one of [bytes, bytes.subarray(0, cut)])
          for (const { sections, segments } of open(one).executables)
            for (const { at, size } of [...sections, ...segments])
              expect(at >= 0 && size > 0 && at + size <= one.length).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

function write16(at: number, value: number, also: (bytes: Buffer) => unknown = () => 0): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes.writeUInt16LE(value, at);
    also(bytes);
    return bytes;
  };
}

function write64(at: number, value: bigint): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes.writeBigUInt64LE(value, at);
    return bytes;
  };
}

/** Place of a section header of a 64-bit file. */
function sectionAt(bytes: Buffer, number: number): number {
  return Number(bytes.readBigUInt64LE(40)) + 64 * number;
}
