import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gatheringWriter } from '../durable.ts';
import type { Content } from './bucket.ts';

/** What is smaller than this never touches the disk. */
const IN_MEMORY = 512 * 1024;
const READ_SIZE = 256 * 1024;

/** Bytes on their way into one object: counted and hashed while they come, then read as often as it takes to send them. */
export interface Spool {
  readonly size: number;
  write(chunk: Uint8Array): Promise<void>;
  /** All of it, to be sent. Nothing may be written any more. */
  content(): Promise<Content>;
  /** All of it, from the first byte. */
  read(): AsyncIterable<Uint8Array>;
  /** May be called again. */
  close(): Promise<void>;
}

/** Keeps little in memory and more in a file of `folder` that has no name: nothing is left of it however the program ends. */
export function createSpool(folder: string): Spool {
  const hash = createHash('sha256');
  let size = 0;
  let chunks: Uint8Array[] = [];
  let file: { readonly handle: FileHandle; readonly writer: ReturnType<typeof gatheringWriter> } | undefined;

  async function spill(): Promise<void> {
    const handle = await openNameless(folder);
    file = { handle, writer: gatheringWriter(handle.fd, 0) };
    for (const chunk of chunks) await file.writer.write(chunk);
    chunks = [];
  }

  async function content(): Promise<Content> {
    const sha256 = hash.copy().digest('hex');
    if (!file) return { kind: 'bytes', size, sha256, bytes: Buffer.concat(chunks, size) };
    await file.writer.flush();
    const { handle } = file;
    return { kind: 'repeatable', size, sha256, open: () => Readable.from(pieces(handle, size), { objectMode: false }) };
  }

  return {
    get size() {
      return size;
    },
    async write(chunk) {
      hash.update(chunk);
      size += chunk.byteLength;
      if (file) return file.writer.write(chunk);
      chunks.push(chunk);
      if (size > IN_MEMORY) await spill();
    },
    content,
    async *read() {
      const all = await content();
      yield* all.kind === 'bytes' ? [all.bytes] : all.open();
    },
    async close() {
      const handle = file?.handle;
      file = undefined;
      chunks = [];
      await handle?.close();
    },
  };
}

/** Not a stream of Node over the descriptor: destroying that would close it. */
async function* pieces(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const length = Math.min(READ_SIZE, size - at);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) throw new Error('the local file of a part lost its end');
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function openNameless(folder: string): Promise<FileHandle> {
  const path = join(folder, randomUUID());
  const handle = await open(path, 'wx+', 0o600);
  await unlink(path);
  return handle;
}
