import type { FileView } from '../file-view.ts';
import {
  broken,
  type Executable,
  liesInside,
  NOTHING,
  type OpenedExecutable,
  type Section,
  type Segment,
} from './executable.ts';
import { type Fields, fieldsOf } from './fields.ts';

const MOST_COMMANDS = 4096;
const LONGEST_COMMANDS = 1024 * 1024;
/** Processors in one file; Java classes have the same first bytes, and larger numbers here. */
const MOST_PROCESSORS = 20;
const [FAT, FAT_64, MACH_32, MACH_64] = [0xcafebabe, 0xcafebabf, 0xfeedface, 0xfeedfacf];
const [PROGRAM, LIBRARY, BUNDLE] = [2, 6, 8];
const [LC_SEGMENT, LC_SEGMENT_64] = [0x1, 0x19];
const VM_PROT_WRITE = 2;
const [ZERO_FILL, PURE_INSTRUCTIONS] = [1, 0x8000_0000];

/** True for the first bytes of a file that holds programs for several processors. */
export function isFat(head: Buffer): boolean {
  if (head.length < 8) return false;
  const magic = head.readUInt32BE(0);
  const count = head.readUInt32BE(4);
  return (magic === FAT || magic === FAT_64) && count > 0 && count <= MOST_PROCESSORS;
}

/** True for the first bytes of a program for one processor, in either byte order. */
export function isMachO(head: Buffer): boolean {
  if (head.length < 4) return false;
  return [head.readUInt32BE(0), head.readUInt32LE(0)].some((magic) => magic === MACH_32 || magic === MACH_64);
}

/** Reads the plan of a program or library of macOS (mach-o/loader.h), for one processor or several (mach-o/fat.h). */
export function openMachO(file: FileView): OpenedExecutable {
  const head = file.read(0, 8 + 32 * MOST_PROCESSORS);
  if (!isFat(head)) return openOne(file, 0, file.size);
  const wide = head.readUInt32BE(0) === FAT_64;
  const { u32, u64 } = fieldsOf(head, { bigEndian: true, wide });
  const opened = Array.from({ length: u32(4) }, (_, number) => {
    const record = 8 + number * (wide ? 32 : 20);
    return wide ? openOne(file, u64(record + 8), u64(record + 16)) : openOne(file, u32(record + 8), u32(record + 12));
  });
  return {
    executables: opened.flatMap(({ executables }) => executables),
    problems: [...new Set(opened.flatMap(({ problems }) => problems))],
  };
}

function openOne(file: FileView, start: number, length: number): OpenedExecutable {
  if (!liesInside(file.size, start, length)) return broken('one of its programs lies outside the file');
  const head = file.read(start, 32);
  if (!isMachO(head)) return NOTHING;
  const bigEndian = [MACH_32, MACH_64].includes(head.readUInt32BE(0));
  const wide = [head.readUInt32BE(0), head.readUInt32LE(0)].includes(MACH_64);
  const fields = (record: Buffer) => fieldsOf(record, { bigEndian, wide });
  const { u32 } = fields(head);
  if (![PROGRAM, LIBRARY, BUNDLE].includes(u32(12))) return NOTHING;
  const [count, size] = [u32(16), u32(20)];
  if (count > MOST_COMMANDS || size > LONGEST_COMMANDS) return broken('it has more Mach-O load commands than are read');
  const commands = file.read(start + (wide ? 32 : 28), size);
  const sections: Section[] = [];
  const segments: Segment[] = [];
  let lost = 0;
  for (let [at, left] = [0, count]; left > 0 && at + 8 <= commands.length; left -= 1) {
    const record = fields(commands.subarray(at));
    const recordSize = record.u32(4);
    if (recordSize < 8 || at + recordSize > commands.length) return broken('its Mach-O load commands are damaged');
    if (record.u32(0) === (wide ? LC_SEGMENT_64 : LC_SEGMENT)) {
      const segment = readSegment(record, wide);
      if (segment.size > 0 && liesInside(length, segment.at, segment.size))
        segments.push({ ...segment, at: start + segment.at });
      for (const section of readSections(fields(commands.subarray(at, at + recordSize)), recordSize, wide)) {
        if (liesInside(length, section.at, section.size)) sections.push({ ...section, at: start + section.at });
        else lost += 1;
      }
    }
    at += recordSize;
  }
  const executable: Executable = { format: 'Mach-O', bigEndian, sections, segments };
  return {
    executables: [executable],
    problems: lost > 0 ? [`${lost} of its Mach-O sections lie outside the file`] : [],
  };
}

function readSegment({ u32, word }: Fields, wide: boolean): Segment {
  return wide
    ? { address: word(24), at: word(40), size: word(48), writable: (u32(60) & VM_PROT_WRITE) !== 0 }
    : { address: word(24), at: word(32), size: word(36), writable: (u32(44) & VM_PROT_WRITE) !== 0 };
}

function readSections(record: Fields, recordSize: number, wide: boolean): readonly Section[] {
  const [first, size] = wide ? [72, 80] : [56, 68];
  const count = Math.min(record.u32(wide ? 64 : 48), Math.floor((recordSize - first) / size));
  return Array.from({ length: Math.max(count, 0) }, (_, number) => {
    const at = first + number * size;
    const flags = record.u32(at + (wide ? 64 : 56));
    return {
      name: record.text(at, 16),
      at: record.u32(at + (wide ? 48 : 40)),
      size: (flags & 0xff) === ZERO_FILL ? 0 : record.word(at + (wide ? 40 : 36)),
      holds: flags & PURE_INSTRUCTIONS ? ('code' as const) : ('data' as const),
    };
  }).filter(({ size: length }) => length > 0);
}
