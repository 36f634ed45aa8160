import { ScanError } from '../errors.ts';
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
  /** The content, at most `limit` bytes of it. */
  read(limit: number): Promise<Buffer>;
  /** Where the content begins in the archive. */
  readonly offset: number;
}

/** Largest block of long name or pax records that is read. */
const LARGEST_EXTENSION = 1024 * 1024;

/**
 * Reads a tar archive entry by entry: ustar, pax, GNU long names, base-256 sizes, archives put one after another. It ends
 * at two blocks of zeros, as for every container runtime. The content of an entry that is not read is passed over. Throws
 * `ScanError`: layer_unsupported when the first block is no tar header, layer_invalid when the archive is damaged or cut
 * off later; entries before that were given.
 */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarEntry> {
  let global: PaxValues = {};
  let next: PaxValues = {};
  let zeros = 0;
  for (;;) {
    const block = await reader.read(BLOCK);
    if (block.length === 0 && Object.keys(next).length === 0) return;
    if (block.length < BLOCK) {
      // Some writers leave out the padding of the end.
      if (block.length > 0 && block.every((byte) => byte === 0)) return;
      throw new ScanError('layer_invalid', `the tar is cut off at byte ${reader.position}`);
    }
    zeros = isZeroBlock(block) ? zeros + 1 : 0;
    if (zeros === 2) return;
    if (zeros === 1) continue;
    const header = parseHeader(block);
    if (!header) throw noHeader(reader.position - BLOCK);
    switch (header.flag) {
      case 'L':
        next = { ...next, path: await longText(reader, header) };
        continue;
      case 'K':
        next = { ...next, linkpath: await longText(reader, header) };
        continue;
      case 'x':
        next = { ...next, ...parsePax(await extension(reader, header)) };
        continue;
      case 'g':
        global = { ...global, ...parsePax(await extension(reader, header)) };
        continue;
      case 'S':
        next = { ...next, sparse: true };
        if (sparseGoesOn(block, false)) await skipSparseMap(reader);
        break;
      default:
    }
    yield* entryOf(reader, header, { ...global, ...next });
    next = {};
  }
}

/** After the end of an archive: true when another one follows there, which nobody unpacks. */
export async function anotherTarFollows(reader: ByteReader): Promise<boolean> {
  for (;;) {
    const block = await reader.read(BLOCK);
    if (block.length < BLOCK) return false;
    if (!isZeroBlock(block)) return parseHeader(block) !== undefined;
  }
}

function noHeader(at: number): ScanError {
  return at === 0
    ? new ScanError('layer_unsupported', 'it is no tar archive, or damaged from its first byte on')
    : new ScanError('layer_invalid', `the tar is damaged at byte ${at}: no valid header`);
}

async function skipSparseMap(reader: ByteReader): Promise<void> {
  for (let more = true; more; ) {
    const block = await reader.read(BLOCK);
    if (block.length < BLOCK) throw new ScanError('layer_invalid', `the tar is cut off at byte ${reader.position}`);
    more = sparseGoesOn(block, true);
  }
}

async function* entryOf(reader: ByteReader, header: TarHeader, pax: PaxValues): AsyncGenerator<TarEntry> {
  const name = pax.path ?? header.name;
  const kind = kindOf(header.flag, name);
  const size = isHeaderOnly(header.flag) ? 0 : (pax.size ?? header.size);
  const offset = reader.position;
  let left = size;
  const take = async (length: number): Promise<Buffer> => {
    const piece = await reader.read(Math.min(length, left));
    left -= piece.length;
    return piece;
  };
  yield {
    name,
    linkName: pax.linkpath ?? header.linkName,
    kind,
    size,
    sparse: pax.sparse ?? false,
    offset,
    read: take,
  };
  const padding = (BLOCK - (size % BLOCK)) % BLOCK;
  const rest = left + padding;
  // The padding of the last entry may be missing.
  if (rest > 0 && (await reader.skip(rest)) < left) throw cutOff(name, size);
}

async function longText(reader: ByteReader, header: TarHeader): Promise<string> {
  const bytes = await extension(reader, header);
  const end = bytes.indexOf(0);
  return decodeName(bytes.subarray(0, end < 0 ? bytes.length : end));
}

async function extension(reader: ByteReader, header: TarHeader): Promise<Buffer> {
  if (header.size > LARGEST_EXTENSION)
    throw new ScanError(
      'layer_invalid',
      `the tar has a header extension of ${header.size} bytes at byte ${reader.position}`,
    );
  const bytes = Buffer.from(await reader.read(header.size));
  if (bytes.length < header.size) throw new ScanError('layer_invalid', `the tar is cut off at byte ${reader.position}`);
  await reader.skip((BLOCK - (header.size % BLOCK)) % BLOCK);
  return bytes;
}

function cutOff(name: string, size: number): ScanError {
  return new ScanError('layer_invalid', `the tar is cut off inside "${name.slice(0, 200)}" of ${size} bytes`);
}
