import { ScanError } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';
import { type PaxValues, parsePax } from './pax.ts';
import { BLOCK, type EntryKind, isZeroBlock, kindOf, parseHeader, type TarHeader } from './tar-header.ts';

/** One entry of an archive. Its content can be read until the next entry is asked for. */
export interface TarEntry {
  /** As written, long names applied; not normalised. */
  readonly name: string;
  readonly linkName: string;
  readonly kind: EntryKind;
  readonly size: number;
  /** The content, at most `limit` bytes of it. */
  read(limit: number): Promise<Buffer>;
  /** The content piece by piece. */
  stream(): AsyncGenerator<Buffer>;
  /** Where the content begins in the archive. */
  readonly offset: number;
}

/** Largest block of long name or pax records that is read. */
const LARGEST_EXTENSION = 1024 * 1024;
const LONGEST_NAME = 4096;
const STREAM_PIECE = 256 * 1024;

/**
 * Reads a tar archive entry by entry: ustar, pax, GNU long names, base-256 sizes, archives put one after another. The
 * content of an entry that is not read is passed over. Throws `ScanError('layer_invalid')` when the archive is damaged or
 * cut off; entries before that were given.
 */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarEntry> {
  let global: PaxValues = {};
  let next: PaxValues = {};
  for (;;) {
    const block = await reader.read(BLOCK);
    if (block.length === 0) return;
    if (block.length < BLOCK) {
      // Some writers leave out the padding of the end.
      if (block.every((byte) => byte === 0)) return;
      throw new ScanError('layer_invalid', `the tar is cut off at byte ${reader.position}`);
    }
    if (isZeroBlock(block)) continue;
    const header = parseHeader(block);
    if (!header)
      throw new ScanError('layer_invalid', `the tar is damaged at byte ${reader.position - BLOCK}: no valid header`);
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
      default:
        yield* entryOf(reader, header, { ...global, ...next });
        next = {};
    }
  }
}

async function* entryOf(reader: ByteReader, header: TarHeader, pax: PaxValues): AsyncGenerator<TarEntry> {
  const name = pax.path ?? header.name;
  const kind = kindOf(header.flag, name);
  // Links and directories have no content, whatever their size field says; pax sizes are for files.
  const size = kind === 'file' ? (pax.size ?? header.size) : header.flag === 'D' ? header.size : 0;
  const offset = reader.position;
  let left = size;
  const take = async (length: number): Promise<Buffer> => {
    const piece = await reader.read(Math.min(length, left));
    left -= piece.length;
    return piece;
  };
  yield {
    name: name.slice(0, LONGEST_NAME),
    linkName: (pax.linkpath ?? header.linkName).slice(0, LONGEST_NAME),
    kind,
    size,
    offset,
    read: take,
    async *stream() {
      for (let piece = await take(STREAM_PIECE); piece.length > 0; piece = await take(STREAM_PIECE)) yield piece;
      if (left > 0) throw cutOff(name, size);
    },
  };
  const padding = (BLOCK - (size % BLOCK)) % BLOCK;
  if ((await reader.skip(left)) < left) throw cutOff(name, size);
  await reader.skip(padding);
}

async function longText(reader: ByteReader, header: TarHeader): Promise<string> {
  const bytes = await extension(reader, header);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
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
