import { read } from 'node:fs';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { messageOf } from '../../platform/errors.ts';
import { BlobError, type ByteRange } from '../blob-store.ts';

const PIECE = 512 * 1024;
/** Buffers that wait for the next reader, at most. */
const KEPT = 32;

const readDescriptor = promisify(read);

/**
 * Gives a function that writes part of a file to `sink`, which it leaves open: one piece is read while the one before is on its way, both in
 * buffers that are used again afterwards. A new buffer for every piece would have the collector of garbage take longer than reading and sending.
 * Rejects when the file ends too soon, cannot be read, or the sink is closed.
 */
export function createFileSender() {
  const spare: Buffer[] = [];
  const take = () => spare.pop() ?? Buffer.allocUnsafeSlow(PIECE);
  const giveBack = (buffer: Buffer) => {
    if (spare.length < KEPT) spare.push(buffer);
  };

  return async function sendFile(descriptor: number, { first, last }: ByteRange, sink: Writable): Promise<void> {
    let [buffer, next] = [take(), take()];
    let reading = fill(descriptor, buffer, first, last);
    try {
      for (let at = first; at <= last; ) {
        const piece = await reading;
        at += piece.byteLength;
        reading = at <= last ? fill(descriptor, next, at, last) : Promise.resolve(piece);
        // Seen at the next await; a sink that fails first must not leave it unhandled.
        reading.catch(() => undefined);
        await write(sink, piece);
        [buffer, next] = [next, buffer];
      }
    } finally {
      await reading.catch(() => undefined);
      giveBack(buffer);
      giveBack(next);
    }
  };
}

async function fill(descriptor: number, buffer: Buffer, at: number, last: number): Promise<Buffer> {
  const { bytesRead } = await readDescriptor(descriptor, buffer, 0, Math.min(PIECE, last - at + 1), at);
  if (bytesRead === 0) throw new Error(`the file ends at byte ${at}, before byte ${last}`);
  return bytesRead === buffer.byteLength ? buffer : buffer.subarray(0, bytesRead);
}

/** Done when the sink does not need the bytes any more. */
function write(sink: Writable, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (sink.destroyed) reject(new BlobError('receiver_gone', 'the receiver is gone'));
    else
      sink.write(piece, (error) => {
        if (error)
          reject(new BlobError('receiver_gone', `the receiver is gone: ${messageOf(error)}`, { cause: error }));
        else resolve();
      });
  });
}
