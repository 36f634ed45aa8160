import { type Executable, placeOf, type Section } from '../../executables/executable.ts';
import { fieldsOf } from '../../executables/fields.ts';
import type { FileView } from '../../file-view.ts';

/** What the Go linker writes into every program: the toolchain's version, and the modules as `go version -m` prints them. */
export interface GoBuildInfo {
  readonly version: string;
  readonly modules: string;
}

/** Why there are none: `absent` is no Go program, the rest is one that cannot be read. */
export type NoBuildInfo = { readonly absent: true } | { readonly problem: string };

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const HEADER = 32;
const ALIGNED = 16;
/** Names of the section in ELF and Mach-O. PE has none: it begins the writable data. */
const SECTIONS: ReadonlySet<string> = new Set(['.go.buildinfo', '__go_buildinfo']);
const [BIG_ENDIAN, INLINE] = [1, 2];
/** The lines of modules stand between two marks of this length. */
const MARK = 16;
const LONGEST_VERSION = 1024;
const LONGEST_MODULES = 4 * 1024 * 1024;
/** How much writable data is searched where no section has the name. */
const SEARCHED = 4 * 1024 * 1024;
const DAMAGED: NoBuildInfo = { problem: 'its Go build information is damaged' };

/** Reads a program's build information in the form of Go 1.18 (texts in place) or of Go 1.13 (addresses of texts). */
export function readGoBuildInfo(file: FileView, executable: Executable): GoBuildInfo | NoBuildInfo {
  const section = executable.sections.find(({ name }) => SECTIONS.has(name));
  const place = section ? findIn(file, section) : findInData(file, executable);
  if (!place) return section ? DAMAGED : { absent: true };
  const header = file.read(place.at, HEADER);
  if (header.length < HEADER) return DAMAGED;
  const flags = header[15] ?? 0;
  const texts =
    flags & INLINE
      ? readInline(file, place.at + HEADER, place.end)
      : readByAddress(file, executable, header, (flags & BIG_ENDIAN) !== 0);
  if (texts === 'too long') return { problem: 'its Go build information is longer than is read' };
  if (!texts || texts.version === '') return DAMAGED;
  return { version: texts.version, modules: withoutMarks(texts.modules) };
}

/** Where the information begins, and where what holds it ends. */
interface Place {
  readonly at: number;
  readonly end: number;
}

function findIn(file: FileView, { at, size }: Pick<Section, 'at' | 'size'>): Place | undefined {
  const data = file.read(at, Math.min(size, SEARCHED));
  for (let found = data.indexOf(MAGIC); found >= 0; found = data.indexOf(MAGIC, found + 1))
    if (found % ALIGNED === 0) return { at: at + found, end: at + size };
  return undefined;
}

/** Where sections have no such name: in PE always, in ELF when the names were taken away. */
function findInData(file: FileView, { format, sections, segments }: Executable): Place | undefined {
  if (format !== 'PE' && sections.some(({ name }) => name !== '')) return undefined;
  for (const segment of segments.filter(({ writable }) => writable).slice(0, 4)) {
    const found = findIn(file, segment);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Texts {
  readonly version: string;
  readonly modules: Buffer;
}

function readInline(file: FileView, at: number, end: number): Texts | 'too long' | undefined {
  const version = readCounted(file, at, end, LONGEST_VERSION);
  if (version === undefined || version === 'too long') return version;
  const modules = readCounted(file, version.next, end, LONGEST_MODULES);
  if (modules === undefined || modules === 'too long') return modules;
  return { version: version.bytes.toString('utf8'), modules: modules.bytes };
}

/** A length as an unsigned varint of at most five bytes, then that many bytes. */
function readCounted(
  file: FileView,
  at: number,
  end: number,
  longest: number,
): { readonly bytes: Buffer; readonly next: number } | 'too long' | undefined {
  const head = file.read(at, Math.min(5, Math.max(end - at, 0)));
  let length = 0;
  for (const [number, byte] of head.entries()) {
    length += (byte & 0x7f) * 2 ** (7 * number);
    if (byte & 0x80) continue;
    if (length > longest) return 'too long';
    const start = at + number + 1;
    return start + length <= end ? { bytes: file.read(start, length), next: start + length } : undefined;
  }
  return undefined;
}

/** The header has the addresses of two strings; each is the address of its bytes and their number. */
function readByAddress(
  file: FileView,
  executable: Executable,
  header: Buffer,
  bigEndian: boolean,
): Texts | 'too long' | undefined {
  const size = header[14];
  if (size !== 4 && size !== 8) return undefined;
  const order = { bigEndian, wide: size === 8 };
  const { word } = fieldsOf(header, order);

  const readString = (address: number, longest: number): Buffer | 'too long' | undefined => {
    const place = placeOf(executable, address);
    if (!place || place.size < 2 * size) return undefined;
    const pair = fieldsOf(file.read(place.at, 2 * size), order);
    const [start, length] = [pair.word(0), pair.word(size)];
    if (length === 0) return Buffer.alloc(0);
    if (length > longest) return 'too long';
    const bytes = placeOf(executable, start);
    return bytes && bytes.size >= length ? file.read(bytes.at, length) : undefined;
  };

  const version = readString(word(16), LONGEST_VERSION);
  const modules = readString(word(16 + size), LONGEST_MODULES);
  if (version === 'too long' || modules === 'too long') return 'too long';
  return version && { version: version.toString('utf8'), modules: modules ?? Buffer.alloc(0) };
}

function withoutMarks(modules: Buffer): string {
  const whole = modules.length >= 2 * MARK + 1 && modules[modules.length - MARK - 1] === 0x0a;
  return whole ? modules.toString('utf8', MARK, modules.length - MARK) : '';
}
