import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { ByteSource } from '../../platform/streams.ts';

/** Bytes that come out at once. Every piece is a wait of one thread for the other, and the longer one takes the more can go on beside it. */
const PIECE = 1024 * 1024;
/** Pieces that may wait: while one is looked at, the next ones are made in another thread. */
const MOST_WAITING = 8;

/**
 * Decompresses ahead of its reader, in Node's thread pool. Pieces come in memory of their own; `freePiece` gives it back
 * at once. Errors of the source and of the decompressor come out of the iteration. `trailing` is told at the end when bytes
 * come behind it that belong to no compressed part.
 */
export function inflated(kind: 'gzip' | 'zstd', source: ByteSource, trailing: () => void): ByteSource {
  return { [Symbol.asyncIterator]: () => start(kind, source[Symbol.asyncIterator](), trailing) };
}

/** Gives back the memory of a piece of `inflated` without waiting for the garbage collector: a large layer has thousands. */
export function freePiece(piece: Uint8Array): void {
  const memory = piece.buffer;
  // A piece that does not reach the end of its memory is followed by another in the same.
  if (memory instanceof ArrayBuffer && memory.byteLength === PIECE && piece.byteOffset + piece.byteLength === PIECE)
    memory.transfer(0);
}

function start(
  kind: 'gzip' | 'zstd',
  input: AsyncIterator<Uint8Array>,
  trailing: () => void,
): AsyncIterator<Uint8Array> {
  const options = { chunkSize: PIECE };
  const stream = kind === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  const waiting: Uint8Array[] = [];
  let outcome: { readonly error?: Error } | undefined;
  let wake: (() => void) | undefined;
  let stopped = false;

  function settle(result: { readonly error?: Error }): void {
    outcome ??= result;
    wake?.();
  }

  stream.on('data', (piece: Uint8Array) => {
    waiting.push(piece);
    if (waiting.length >= MOST_WAITING) stream.pause();
    wake?.();
  });
  stream.on('end', () => settle({}));
  stream.on('error', (error: Error) => settle({ error }));
  const fed = feed(input, stream).catch((error: unknown) => {
    settle({ error: asError(error) });
    stream.destroy();
    return 0;
  });

  return {
    async next() {
      for (;;) {
        const piece = waiting.shift();
        if (piece) {
          if (stream.isPaused() && waiting.length < MOST_WAITING / 2) stream.resume();
          return { done: false, value: piece };
        }
        if (outcome) {
          if (outcome.error !== undefined) throw outcome.error;
          if (!stopped && (await fed) > stream.bytesWritten) trailing();
          return { done: true, value: undefined };
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    return() {
      stopped = true;
      stream.destroy();
      settle({});
      // Not waited for: a source may never answer.
      void Promise.resolve(input.return?.()).catch(() => undefined);
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * One piece is decompressed while the next one is fetched; a source may use the memory of the one before these again. Gives
 * how many bytes there were, up to the first piece after the end of what is compressed.
 */
async function feed(
  input: AsyncIterator<Uint8Array>,
  stream: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
): Promise<number> {
  let size = 0;
  let closed: (() => void) | undefined;
  stream.on('close', () => closed?.());
  let written = Promise.resolve();
  for (;;) {
    const { value, done } = await input.next();
    await written;
    size += done ? 0 : value.byteLength;
    if (done || stream.destroyed) break;
    written = new Promise((resolve) => {
      closed = resolve;
      stream.write(value, () => resolve());
    });
  }
  if (!stream.destroyed) stream.end();
  return size;
}
