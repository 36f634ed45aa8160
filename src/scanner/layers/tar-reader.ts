import { ScanError } from '../errors.ts';
import type { FileView } from '../file-view.ts';
import type { ByteReader } from './byte-reader.ts';
import { decodeName } from './names.ts';
import { type PaxValues, parsePax } from './pax.ts';
import {
  BLOCK,
  type EntryKind,
  isHeaderOnly,
  isZeroBlock,
  kindOf,
  parseHeader,
  sparseGoesOn,
  type TarHeader,
} from './tar-header.ts';

/** One entry of an archive. Its content can be read until the next entry is asked for. */
export interface TarEntry {
  /** As written, long names applied; not normalised. */
  readonly name: string;
  readonly linkName: string;
  readonly kind: EntryKind;
  readonly size: number;
  /** What is stored is not the file itself, but its parts without the holes between them. */
  readonly sparse: boolean;
  /** Where the content begins in the archive. */
  readonly offset: number;
  /** The next bytes of the content, at most `limit`, without going forward; fewer only at its end. A promise when they are not at hand. */
  peek(limit: number): Buffer | Promise<Buffer>;
  /** As `peek`, but goes forward. The bytes are valid until the next call. */
  read(limit: number): Buffer | Promise<Buffer>;
  /** The content where it lies, to look here and there before anything was read of it; see `ByteReader`. */
  inPlace(): FileView | undefined;
  /** As `read`, but gives what is at hand, at least one byte until the end. */
  piece(): Buffer | Promise<Buffer>;
}

/** Gives the entries one by one, undefined at the end; a promise only when bytes have to be waited for. */
export interface TarReader {
  next(): TarEntry | undefined | Promise<TarEntry | undefined>;
}

const LARGEST_PIECE = 256 * 1024;
/** Largest block of long name or pax records that is read. */
const LARGEST_EXTENSION = 1024 * 1024;

/**
 * Reads a tar archive entry by entry: ustar, pax, GNU long names, base-256 sizes, archives put one after another. It ends
 * at two blocks of zeros, as for every container runtime. The content of an entry that is not read is passed over. `next`
 * throws `ScanError`: layer_unsupported when the first block is no tar header, layer_invalid when the archive is damaged
 * or cut off later; entries before that were given.
 */
export function createTarReader(reader: ByteReader): TarReader {
  let global: PaxValues | undefined;
  let pending: PaxValues | undefined;
  let zeros = 0;
  let entry: Content | undefined;

  /** Does what can be done with the bytes at hand: an entry, undefined at the end, or how many bytes it needs to go on. */
  function step(): TarEntry | undefined | number {
    if (entry) {
      entry.rest -= reader.pass(entry.rest);
      if (entry.rest > 0) {
        if (!reader.ended) return 1;
        // The padding of the last entry may be missing.
        if (entry.rest > entry.padding) throw cutOff(entry.name, entry.size);
      }
      entry = undefined;
    }
    for (;;) {
      const block = reader.peek(BLOCK);
      if (block.length < BLOCK) {
        if (!reader.ended) return BLOCK;
        return atEnd(block, reader.position, pending !== undefined);
      }
      zeros = isZeroBlock(block) ? zeros + 1 : 0;
      if (zeros > 0) {
        reader.pass(BLOCK);
        if (zeros === 2) return undefined;
        continue;
      }
      const header = parseHeader(block);
      if (!header) throw noHeader(reader.position);
      const needed = takeHeader(header, block);
      if (needed > 0) return needed;
      if (entry) return entryOf(reader, entry);
    }
  }

  /** Gives how many bytes are needed to go on, none when the header was dealt with. */
  function takeHeader(header: TarHeader, block: Buffer): number {
    if (isExtension(header.flag)) {
      if (header.size > LARGEST_EXTENSION) throw tooLong(header, reader.position + BLOCK);
      const whole = reader.peek(BLOCK + header.size + paddingOf(header.size));
      if (whole.length < BLOCK + header.size + paddingOf(header.size) && !reader.ended)
        return BLOCK + header.size + paddingOf(header.size);
      if (whole.length < BLOCK + header.size) throw endsEarly(reader.position + whole.length);
      takeExtension(header.flag, whole.subarray(BLOCK, BLOCK + header.size));
      reader.pass(whole.length);
      return 0;
    }
    const map = header.flag === 'S' ? sparseMapLength(reader, block) : 0;
    if (map < 0) return -map;
    reader.pass(BLOCK + map);
    const pax = global || pending ? { ...global, ...pending } : NO_VALUES;
    pending = undefined;
    entry = contentOf(header, pax, reader.position);
    return 0;
  }

  function takeExtension(flag: string, bytes: Buffer): void {
    if (flag === 'L') pending = { ...pending, path: longText(bytes) };
    else if (flag === 'K') pending = { ...pending, linkpath: longText(bytes) };
    else if (flag === 'x') pending = { ...pending, ...parsePax(bytes) };
    else global = { ...global, ...parsePax(bytes) };
  }

  async function later(needed: number): Promise<TarEntry | undefined> {
    for (let length = needed; ; ) {
      await reader.fill(length);
      const result = step();
      if (typeof result !== 'number') return result;
      length = result;
    }
  }

  return {
    next() {
      const result = step();
      return typeof result === 'number' ? later(result) : result;
    },
  };
}

/** As `createTarReader`, for walks where waiting at every entry does not matter. */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarEntry> {
  const tar = createTarReader(reader);
  for (let entry = await tar.next(); entry; entry = await tar.next()) yield entry;
}

/** As `createTarReader`, for a reader that has everything at hand: a file without compression. */
export function* readTarAtHand(reader: ByteReader): Generator<TarEntry> {
  const tar = createTarReader(reader);
  for (let entry = tar.next(); entry; entry = tar.next()) {
    if (entry instanceof Promise) throw new TypeError('this reader has to be waited for');
    yield entry;
  }
}

/** What comes after the end of an archive, up to the end of the bytes; nobody unpacks it. Zeros are nothing. */
export async function whatFollows(reader: ByteReader): Promise<'archive' | 'bytes' | 'nothing'> {
  for (;;) {
    await reader.fill(BLOCK);
    const block = reader.peek(BLOCK);
    if (!isZeroBlock(block) && block.some((byte) => byte !== 0))
      return parseHeader(block) === undefined ? 'bytes' : 'archive';
    if (block.length < BLOCK) return 'nothing';
    reader.pass(BLOCK);
  }
}

const NO_VALUES: PaxValues = {};

/** An entry and how much of it, with its padding, has not been passed yet. */
interface Content {
  readonly name: string;
  readonly linkName: string;
  readonly kind: EntryKind;
  readonly size: number;
  readonly sparse: boolean;
  readonly offset: number;
  readonly padding: number;
  rest: number;
}

function contentOf(header: TarHeader, pax: PaxValues, offset: number): Content {
  const name = pax.path ?? header.name;
  const size = isHeaderOnly(header.flag) ? 0 : (pax.size ?? header.size);
  const padding = paddingOf(size);
  return {
    name,
    linkName: pax.linkpath ?? header.linkName,
    kind: kindOf(header.flag, name),
    size,
    sparse: pax.sparse ?? header.flag === 'S',
    offset,
    padding,
    rest: size + padding,
  };
}

function entryOf(reader: ByteReader, content: Content): TarEntry {
  function peek(limit: number): Buffer | Promise<Buffer> {
    const wanted = Math.min(limit, content.rest - content.padding);
    const bytes = reader.peek(wanted);
    return bytes.length === wanted || reader.ended ? bytes : reader.fill(wanted).then(() => reader.peek(wanted));
  }
  function pass(bytes: Buffer): Buffer {
    content.rest -= reader.pass(bytes.length);
    return bytes;
  }
  return {
    name: content.name,
    linkName: content.linkName,
    kind: content.kind,
    size: content.size,
    sparse: content.sparse,
    offset: content.offset,
    peek,
    read(limit) {
      const bytes = peek(limit);
      return bytes instanceof Promise ? bytes.then(pass) : pass(bytes);
    },
    inPlace: () => reader.inPlace?.(content.size),
    piece() {
      const limit = Math.min(LARGEST_PIECE, content.rest - content.padding);
      const bytes = reader.peek(limit);
      if (bytes.length > 0 || limit === 0 || reader.ended) return pass(bytes);
      return reader.fill(1).then(() => pass(reader.peek(limit)));
    },
  };
}

function isExtension(flag: string): boolean {
  return flag === 'x' || flag === 'L' || flag === 'K' || flag === 'g';
}

/** Length of the blocks that a GNU sparse header goes on in; when they are not all at hand, what is needed as a negative number. */
function sparseMapLength(reader: ByteReader, header: Buffer): number {
  let more = sparseGoesOn(header, false);
  let length = 0;
  while (more) {
    length += BLOCK;
    if (length > LARGEST_EXTENSION)
      throw new ScanError('layer_invalid', `the tar has an endless sparse map at byte ${reader.position}`);
    const block = reader.peek(BLOCK + length).subarray(length);
    if (block.length < BLOCK) {
      if (!reader.ended) return -(BLOCK + length);
      throw endsEarly(reader.position);
    }
    more = sparseGoesOn(block, true);
  }
  return length;
}

function atEnd(rest: Buffer, position: number, unfinished: boolean): undefined {
  if (rest.length === 0 && !unfinished) return undefined;
  // Some writers leave out the padding of the end.
  if (rest.length > 0 && rest.every((byte) => byte === 0)) return undefined;
  throw endsEarly(position + rest.length);
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function longText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return decodeName(bytes.subarray(0, end < 0 ? bytes.length : end));
}

function noHeader(at: number): ScanError {
  return at === 0
    ? new ScanError('layer_unsupported', 'it is no tar archive, or damaged from its first byte on')
    : new ScanError('layer_invalid', `the tar is damaged at byte ${at}: no valid header`);
}

function endsEarly(at: number): ScanError {
  return new ScanError('layer_invalid', `the tar is cut off at byte ${at}`);
}

function tooLong({ size }: TarHeader, at: number): ScanError {
  return new ScanError('layer_invalid', `the tar has a header extension of ${size} bytes at byte ${at}`);
}

function cutOff(name: string, size: number): ScanError {
  return new ScanError('layer_invalid', `the tar is cut off inside "${name.slice(0, 200)}" of ${size} bytes`);
}
