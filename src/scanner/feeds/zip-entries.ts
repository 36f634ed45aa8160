import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { messageOf } from '../../platform/errors.ts';
import { FeedError } from './errors.ts';

const WINDOW = 256 * 1024;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;

/** An entry of an archive that holds many small documents. */
export interface ZipDocument {
  readonly name: string;
  /** The unpacked bytes, or why there are none. Throws never. */
  read(): { readonly bytes: Buffer } | { readonly problem: 'malformed-record' | 'too-large'; readonly detail: string };
  /** Unpacks the entry into a new file without holding it; throws when it is damaged or has more than `most` bytes. */
  extract(to: string, most: number): Promise<void>;
}

/**
 * The entries of a zip archive in the order of its directory, for archives of many thousand small documents: read and unpacked
 * one at a time without a stream for each. Nothing is written by their names. An entry of more than `limit` bytes is not read.
 * Fails with `FeedError` when the file is no readable zip archive. The entries can be read until the next one is asked for.
 */
export async function* readZip(path: string, limit: number): AsyncGenerator<ZipDocument> {
  let file: number | undefined;
  let zip: ZipFile | undefined;
  try {
    file = openSync(path, 'r');
    const reader = new FileReader(file);
    // Ids hold colons and spaces, which are names to us, never paths.
    const options = { lazyEntries: true, strictFileNames: false, autoClose: false } as const;
    zip = await fromRandomAccessReaderPromise(reader, fstatSync(file).size, options).catch((cause: unknown) => {
      throw new FeedError('malformed', `${path} is not a readable zip archive: ${messageOf(cause)}`, { cause });
    });
    for await (const entry of zip.eachEntry()) {
      const descriptor = file;
      yield {
        name: entry.fileName,
        read: () => readEntry(reader, descriptor, entry, limit),
        extract: (to, most) => extractEntry(reader, path, entry, to, most),
      };
    }
  } catch (cause) {
    if (cause instanceof FeedError) throw cause;
    throw new FeedError('malformed', `${path} is damaged: ${messageOf(cause)}`, { cause });
  } finally {
    zip?.close();
    if (file !== undefined) closeSync(file);
  }
}

function readEntry(reader: FileReader, file: number, entry: Entry, limit: number): ReturnType<ZipDocument['read']> {
  const { compressedSize, uncompressedSize, compressionMethod, generalPurposeBitFlag } = entry;
  if (uncompressedSize > limit || compressedSize > limit) {
    return { problem: 'too-large', detail: `${uncompressedSize} bytes, at most ${limit}` };
  }
  if ((generalPurposeBitFlag & ENCRYPTED) !== 0) return bad('is encrypted');
  try {
    const start = reader.dataStart(entry.relativeOffsetOfLocalHeader);
    if (start === undefined) return bad('has no local header');
    const packed = Buffer.allocUnsafe(compressedSize);
    if (readSync(file, packed, 0, compressedSize, start) !== compressedSize) return bad('is cut short');
    const bytes = unpack(packed, compressionMethod, uncompressedSize);
    if (bytes === undefined) return bad(`uses compression method ${compressionMethod}`);
    if (bytes.length !== uncompressedSize || crc32(bytes) !== entry.crc32) return bad('fails its checksum');
    return { bytes };
  } catch (error) {
    return bad(messageOf(error));
  }
}

async function extractEntry(reader: FileReader, path: string, entry: Entry, to: string, most: number): Promise<void> {
  const { compressedSize, compressionMethod, uncompressedSize } = entry;
  const start = reader.dataStart(entry.relativeOffsetOfLocalHeader);
  const known = compressionMethod === STORED || compressionMethod === DEFLATED;
  if (start === undefined || !known || uncompressedSize > most || compressedSize === 0) {
    throw new FeedError('malformed', `${entry.fileName} in ${path} cannot be unpacked`);
  }
  let bytes = 0;
  async function* limited(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > uncompressedSize) throw new FeedError('malformed', `${entry.fileName} unpacks to more than it says`);
      yield chunk;
    }
  }
  const source = createReadStream(path, { start, end: start + compressedSize - 1 });
  const target = createWriteStream(to, { flags: 'wx' });
  if (compressionMethod === STORED) await pipeline(source, limited, target);
  else await pipeline(source, createInflateRaw(), limited, target);
}

function bad(detail: string): { readonly problem: 'malformed-record'; readonly detail: string } {
  return { problem: 'malformed-record', detail };
}

function unpack(packed: Buffer, method: number, size: number): Buffer | undefined {
  if (method === STORED) return packed;
  return method === DEFLATED ? inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) }) : undefined;
}

/** Reads a file through a window: the directory of an archive is asked for in pieces of 46 bytes. */
class FileReader extends RandomAccessReader {
  readonly #file: number;
  readonly #window: Buffer = Buffer.allocUnsafe(WINDOW);
  #start = 0;
  #length = 0;

  constructor(file: number) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    let error: Error | null = null;
    try {
      if (!this.#copy(buffer, offset, length, position)) error = new Error('the file ends too early');
    } catch (cause) {
      error = cause instanceof Error ? cause : new Error(messageOf(cause));
    }
    callback(error);
  }

  override _readStreamForRange(): never {
    throw new Error('entries are not read as streams');
  }

  /** Where the data of an entry begins (APPNOTE.TXT 4.3.7); undefined when there is no local header. */
  dataStart(header: number): number | undefined {
    const fixed = Buffer.allocUnsafe(30);
    if (readSync(this.#file, fixed, 0, 30, header) !== 30 || fixed.readUInt32LE(0) !== 0x04034b50) return undefined;
    return header + 30 + fixed.readUInt16LE(26) + fixed.readUInt16LE(28);
  }

  #copy(target: Buffer, offset: number, length: number, position: number): boolean {
    if (length > WINDOW) return readSync(this.#file, target, offset, length, position) === length;
    if (position < this.#start || position + length > this.#start + this.#length) {
      this.#start = position;
      this.#length = readSync(this.#file, this.#window, 0, WINDOW, position);
      if (this.#length < length) return false;
    }
    this.#window.copy(target, offset, position - this.#start, position - this.#start + length);
    return true;
  }
}
