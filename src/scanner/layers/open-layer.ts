import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '../../platform/streams.ts';
import type { FilePart } from '../image-source.ts';
import { type ByteReader, createByteReader } from './byte-reader.ts';
import { compressionOf, decompressed } from './compression.ts';
import { createFileReader } from './file-reader.ts';

/** The bytes of a layer without their compression. */
export interface OpenLayer {
  readonly reader: ByteReader;
  /** What went wrong with getting the bytes, as opposed to what they are. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Known at the end: true when bytes come behind what is compressed, which belong to nothing. */
  readonly trailing: boolean;
  readonly close: () => Promise<void>;
}

/** Bytes of a file that are read at once, to be decompressed. */
const PIECE = 512 * 1024;

/**
 * Opens a layer, at most `limit` bytes of it. What lies in a file without compression is read in place: content that nobody
 * wants is not even read. Throws what the system says when the file cannot be opened.
 */
export function openLayer(source: ByteSource | FilePart, limit: number): OpenLayer {
  let failure: { readonly error: unknown } | undefined;
  const failed = (error: unknown): void => {
    failure = { error };
  };
  const opened = Symbol.asyncIterator in source ? openSource(source, limit, failed) : openFile(source, limit, failed);
  return {
    reader: opened.reader,
    get failure() {
      return failure;
    },
    get trailing() {
      return opened.trailing;
    },
    close: opened.close,
  };
}

type Opened = Omit<OpenLayer, 'failure'>;
type Failed = (error: unknown) => void;

function openFile({ path, start = 0, size }: FilePart, limit: number, failed: Failed): Opened {
  const fd = openSync(path, 'r');
  try {
    const length = size ?? Math.max(fstatSync(fd).size - start, 0);
    const head = Buffer.alloc(4);
    readSync(fd, head, 0, Math.min(head.length, length), start);
    if (compressionOf(head) === 'none' && length <= limit)
      return {
        reader: createFileReader(fd, start, length, failed),
        trailing: false,
        close() {
          closeSync(fd);
          return Promise.resolve();
        },
      };
    const opened = openSource(piecesOf(fd, start, length), limit, failed);
    return {
      reader: opened.reader,
      get trailing() {
        return opened.trailing;
      },
      async close() {
        await opened.close();
        closeSync(fd);
      },
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Reading from a file that is mostly in the system's cache takes less than asking a thread for it. Two pieces of memory take
 * turns, see `inflated`.
 */
async function* piecesOf(fd: number, start: number, length: number): ByteSource {
  const memory = [0, 1].map(() => Buffer.allocUnsafeSlow(Math.min(PIECE, length)));
  for (let at = 0, turn = 0; at < length; turn += 1) {
    const piece = memory[turn % 2] ?? Buffer.alloc(0);
    const count = readSync(fd, piece, 0, Math.min(piece.length, length - at), start + at);
    if (count === 0) return;
    at += count;
    yield piece.subarray(0, count);
  }
}

function openSource(source: ByteSource, limit: number, failed: Failed): Opened {
  const plain = decompressed(watched(source, failed), limit);
  const reader = createByteReader(plain, (piece) => plain.free(piece));
  return {
    reader,
    get trailing() {
      return plain.trailing;
    },
    close: () => reader.close(),
  };
}

async function* watched(source: ByteSource, failed: Failed): ByteSource {
  try {
    yield* source;
  } catch (error) {
    failed(error);
    throw error;
  }
}
