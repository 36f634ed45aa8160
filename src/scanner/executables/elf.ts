import type { FileView } from '../file-view.ts';
import { broken, liesInside, NOTHING, type OpenedExecutable, type Section, type Segment } from './executable.ts';
import { type Fields, fieldsOf } from './fields.ts';

/** Far more than linkers write; object files may have more, but they are not read. */
const MOST_SECTIONS = 8192;
const MOST_SEGMENTS = 1024;
const LONGEST_NAMES = 1024 * 1024;
const LONGEST_NAME = 256;
const [EXECUTABLE, SHARED] = [2, 3];
const [SHT_NULL, SHT_NOBITS, PT_LOAD] = [0, 8, 1];
const [SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED, PF_W] = [2, 4, 0x800, 2];
/** Stands for a number that is too large for its field and lies in the first section header (SHN_XINDEX). */
const ELSEWHERE = 0xffff;

interface Header {
  readonly fields: (record: Buffer) => Fields;
  readonly bigEndian: boolean;
  readonly wide: boolean;
  readonly sections: { readonly at: number; readonly count: number; readonly names: number };
  readonly segments: { readonly at: number; readonly count: number };
}

/**
 * Reads the plan of an ELF program or shared library (System V ABI, chapters 4 and 5), 32 or 64 bits, either byte order.
 * Object files and core dumps give nothing.
 */
export function openElf(file: FileView): OpenedExecutable {
  const header = readHeader(file);
  if (header === undefined) return NOTHING;
  if (typeof header === 'string') return broken(header);
  const { sections, lost } = readSections(file, header);
  const segments = readSegments(file, header);
  const problems = lost > 0 ? [`${lost} of its ELF sections lie outside the file`] : [];
  return { executables: [{ format: 'ELF', bigEndian: header.bigEndian, sections, segments }], problems };
}

function readHeader(file: FileView): Header | string | undefined {
  const head = file.read(0, 64);
  const [kind, order] = [head[4], head[5]];
  if (head.length < 52 || (kind !== 1 && kind !== 2) || (order !== 1 && order !== 2))
    return 'it has no whole ELF header';
  const [wide, bigEndian] = [kind === 2, order === 2];
  const fields = (record: Buffer) => fieldsOf(record, { bigEndian, wide });
  const { u16, word } = fields(head);
  const type = u16(16);
  if (type !== EXECUTABLE && type !== SHARED) return undefined;
  const counts = wide ? 54 : 42;
  const [segmentsAt, sectionsAt] = wide ? [word(32), word(40)] : [word(28), word(32)];
  const [segmentSize, segmentCount] = [u16(counts), u16(counts + 2)];
  const [sectionSize, sectionCount, names] = [u16(counts + 4), u16(counts + 6), u16(counts + 8)];
  if (segmentCount > 0 && segmentSize !== (wide ? 56 : 32)) return 'its ELF program headers have an odd size';
  if (sectionsAt > 0 && sectionSize !== (wide ? 64 : 40)) return 'its ELF section headers have an odd size';
  const first = fields(sectionsAt > 0 ? file.read(sectionsAt, sectionSize) : Buffer.alloc(0));
  const sections = {
    at: sectionsAt,
    count: sectionsAt === 0 ? 0 : sectionCount || first.word(wide ? 32 : 20),
    names: names === ELSEWHERE ? first.u32(wide ? 40 : 24) : names,
  };
  if (sections.count > MOST_SECTIONS || segmentCount > MOST_SEGMENTS) return 'it has more ELF sections than are read';
  if (!liesInside(file.size, sections.at, sections.count * sectionSize))
    return 'its ELF section headers lie outside the file';
  return { fields, bigEndian, wide, sections, segments: { at: segmentsAt, count: segmentCount } };
}

function readSections(
  file: FileView,
  { fields, wide, sections: { at, count, names } }: Header,
): { readonly sections: readonly Section[]; readonly lost: number } {
  const size = wide ? 64 : 40;
  const { u32, word } = fields(file.read(at, count * size));
  const [placeAt, lengthAt] = wide ? [24, 32] : [16, 20];
  const nameAt = namesOf(file, word(names * size + placeAt), word(names * size + lengthAt));
  const sections: Section[] = [];
  let lost = 0;
  for (let start = 0; start < count * size; start += size) {
    const type = u32(start + 4);
    const length = word(start + lengthAt);
    if (type === SHT_NULL || type === SHT_NOBITS || length === 0) continue;
    const place = word(start + placeAt);
    if (liesInside(file.size, place, length))
      sections.push({ name: nameAt(u32(start)), at: place, size: length, holds: kindOf(word(start + 8)) });
    else lost += 1;
  }
  return { sections, lost };
}

/** Reads the names of sections, which lie in one section, at once: a program has dozens. */
function namesOf(file: FileView, at: number, size: number): (start: number) => string {
  if (size > LONGEST_NAMES || !liesInside(file.size, at, size)) return () => '';
  const names = file.read(at, size).toString('latin1');
  return (start) => {
    const end = names.indexOf('\0', start);
    return names.slice(start, Math.min(end < 0 ? names.length : end, start + LONGEST_NAME));
  };
}

function kindOf(flags: number): Section['holds'] {
  // Above 2^32 stand flags of processors and systems only.
  const low = flags % 2 ** 32;
  if (low & SHF_EXECINSTR) return 'code';
  return low & SHF_ALLOC && !(low & SHF_COMPRESSED) ? 'data' : 'other';
}

function readSegments(file: FileView, { fields, wide, segments: { at, count } }: Header): readonly Segment[] {
  const size = wide ? 56 : 32;
  if (!liesInside(file.size, at, count * size)) return [];
  const { u32, word } = fields(file.read(at, count * size));
  const segments: Segment[] = [];
  for (let start = 0; start < count * size; start += size) {
    const length = word(start + (wide ? 32 : 16));
    const place = word(start + (wide ? 8 : 4));
    if (u32(start) !== PT_LOAD || length === 0 || !liesInside(file.size, place, length)) continue;
    const writable = (u32(start + (wide ? 4 : 24)) & PF_W) !== 0;
    segments.push({ address: word(start + (wide ? 16 : 8)), at: place, size: length, writable });
  }
  return segments;
}
