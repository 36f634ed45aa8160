import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { ByteSource } from '../../platform/streams.ts';

/** Bytes that come out at once: large enough to be few, small enough to stay in the caches of a processor. */
const PIECE = 256 * 1024;
/** Pieces that may wait: while one is looked at, the next ones are made in another thread. */
const MOST_WAITING = 8;

/**
 * Decompresses ahead of its reader, in Node's thread pool. Pieces come in memory of their own; `freePiece` gives it back
 * at once. Errors of the source and of the decompressor come out of the iteration.
 */
export function inflated(kind: 'gzip' | 'zstd', source: ByteSource): ByteSource {
  return { [Symbol.asyncIterator]: () => start(kind, source[Symbol.asyncIterator]()) };
}

/** Gives back the memory of a piece of `inflated` without waiting for the garbage collector: a large layer has thousands. */
export function freePiece(piece: Uint8Array): void {
  const memory = piece.buffer;
  // A piece that does not reach the end of its memory is followed by another in the same.
  if (memory instanceof ArrayBuffer && memory.byteLength === PIECE && piece.byteOffset + piece.byteLength === PIECE)
    memory.transfer(0);
}

function start(kind: 'gzip' | 'zstd', input: AsyncIterator<Uint8Array>): AsyncIterator<Uint8Array> {
  const options = { chunkSize: PIECE };
  const stream = kind === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  const waiting: Uint8Array[] = [];
  let outcome: { readonly error?: Error } | undefined;
  let wake: (() => void) | undefined;

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
  void feed(input, stream).catch((error: unknown) => {
    settle({ error: asError(error) });
    stream.destroy();
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
          return { done: true, value: undefined };
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    return() {
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

/** One piece is decompressed while the next one is fetched; a source may use the memory of the one before these again. */
async function feed(
  input: AsyncIterator<Uint8Array>,
  stream: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
): Promise<void> {
  let closed: (() => void) | undefined;
  stream.on('close', () => closed?.());
  let written = Promise.resolve();
  for (;;) {
    const { value, done } = await input.next();
    await written;
    if (done || stream.destroyed) break;
    written = new Promise((resolve) => {
      closed = resolve;
      stream.write(value, () => resolve());
    });
  }
  if (!stream.destroyed) stream.end();
}
