import type { ByteSource } from '../../../platform/streams.ts';
import { BlobError } from '../../blob-store.ts';
import { readInto } from '../read-into.ts';
import type { Bucket, Part } from './bucket.ts';
import { type Keys, newObjectName } from './keys.ts';
import type { PartSizes } from './part-sizes.ts';
import type { Progress } from './progress.ts';
import { openObject } from './reading.ts';
import { type Piece, writeRecord } from './record.ts';
import { createSpool, type Spool } from './spool.ts';

export interface TransferDeps {
  readonly bucket: Bucket;
  readonly keys: Keys;
  readonly sizes: PartSizes;
  readonly spoolDir: string;
}

/** Parts of one upload on their way at once; one more is being filled. */
const IN_FLIGHT = 2;
/** Pieces kept apart; one more, and they are written anew as one. */
const PIECES = 16;

/**
 * Takes the source into the upload. Full parts go to the store while more comes; what is left at the end, or when the source
 * fails, is written as a piece, so that all of it is in the store when this ends. Throws `upload_interrupted` after that.
 */
export async function receive(deps: TransferDeps, id: string, progress: Progress, source: ByteSource): Promise<void> {
  const sender = createSender(deps, id, progress);
  let filling = createSpool(deps.spoolDir);
  try {
    const interruption = await readInto(source, async (chunk) => {
      hashOn(progress, chunk);
      for (let rest = chunk; rest.byteLength > 0; ) {
        const room = sender.room() - filling.size;
        const taken = rest.subarray(0, room);
        await filling.write(taken);
        rest = rest.subarray(taken.byteLength);
        if (taken.byteLength < room) return;
        const full = filling;
        filling = createSpool(deps.spoolDir);
        await sender.sendPart(full);
      }
    });
    await sender.sendRest(filling);
    if (interruption) throw interruption;
  } finally {
    await Promise.all([filling.close(), sender.settle()]);
  }
}

/** The hash goes on only as long as it has seen everything before. */
function hashOn(progress: Progress, chunk: Uint8Array): void {
  if (progress.hash.size === progress.size) {
    progress.hash.hash.update(chunk);
    progress.hash.size += chunk.byteLength;
  }
  progress.size += chunk.byteLength;
}

function createSender(deps: TransferDeps, id: string, progress: Progress) {
  const { bucket, keys, sizes } = deps;
  const underWay = new Set<Promise<Part>>();
  const sent: Promise<Part>[] = [];
  let number = progress.parts.length + 1;
  let consumed: readonly Piece[] = [];

  async function target(): Promise<{ readonly key: string; readonly upload: string }> {
    if (!progress.record.multipart) {
      const object = newObjectName(progress.record.folder);
      const multipart = { object, upload: await bucket.startParts(keys.object(object)) };
      // Before the first part: what nobody knows of could not be thrown away.
      progress.record = await writeRecord(deps, id, { ...progress.record, multipart });
    }
    const { object = '', upload = '' } = progress.record.multipart ?? {};
    return { key: keys.object(object), upload };
  }

  async function put(key: string, upload: string, at: number, spool: Spool): Promise<Part> {
    try {
      return await bucket.putPart(key, upload, at, await spool.content());
    } finally {
      await spool.close();
    }
  }

  /** The spool is closed here, now or when the part is sent. */
  async function sendPart(spool: Spool): Promise<void> {
    const { tail } = progress.record;
    const whole = tail.length === 0 ? spool : await merged(deps, tail, spool);
    try {
      const { key, upload } = await target();
      consumed = [...consumed, ...tail];
      progress.record = { ...progress.record, tail: [] };
      while (underWay.size >= IN_FLIGHT) await Promise.race(underWay);
      const work = put(key, upload, number, whole);
      number += 1;
      underWay.add(work);
      sent.push(work);
      // Its failure is seen where it is waited for; until then it must not count as unhandled.
      work.catch(() => undefined).finally(() => underWay.delete(work));
    } catch (error) {
      await whole.close();
      throw error;
    }
  }

  async function sendPiece(spool: Spool): Promise<void> {
    const { tail } = progress.record;
    const together = tail.length >= PIECES;
    const content = together ? await joined(deps, tail, spool) : spool;
    const object = newObjectName(progress.record.folder);
    const piece = { object, offset: progress.size - content.size, size: content.size };
    if (together) consumed = [...consumed, ...tail];
    try {
      const writing = writeRecord(deps, id, { ...progress.record, tail: together ? [piece] : [...tail, piece] });
      const [record] = await Promise.all([writing, bucket.put(keys.object(object), await content.content())]);
      progress.record = record;
    } finally {
      if (together) await content.close();
    }
  }

  return {
    /** Bytes a spool takes until it is a full part, with the pieces before it. */
    room(): number {
      // At least one byte: the pieces may be of a time when parts were larger.
      return Math.max(1, sizes.full(number) - sizeOf(progress.record.tail));
    },
    sendPart,
    /** Ends with everything in the store. */
    async sendRest(spool: Spool): Promise<void> {
      const before = progress.record;
      const many = spool.size > 0 && spool.size + sizeOf(before.tail) >= sizes.enough(number);
      if (many) await sendPart(spool);
      progress.parts = [...progress.parts, ...(await Promise.all(sent))];
      if (spool.size > 0 && !many) await sendPiece(spool);
      else if (sent.length > 0) progress.record = await writeRecord(deps, id, progress.record);
      await discard(deps, consumed);
    },
    async settle(): Promise<void> {
      await Promise.allSettled(underWay);
    },
  };
}

/** Pieces that are of no more use. What cannot be deleted now goes with the folder of the upload. */
async function discard({ bucket, keys }: TransferDeps, pieces: readonly Piece[]): Promise<void> {
  await Promise.allSettled(pieces.map((piece) => bucket.delete(keys.object(piece.object))));
}

/** A new spool with the pieces and what follows them. */
export async function joined(deps: TransferDeps, pieces: readonly Piece[], after?: Spool): Promise<Spool> {
  const spool = createSpool(deps.spoolDir);
  try {
    for (const piece of pieces) {
      const content = await openObject(deps.bucket, deps.keys.object(piece.object), { first: 0, last: piece.size - 1 });
      if (!content) throw new BlobError('storage_failed', `the object ${piece.object} of an upload is gone`);
      for await (const chunk of content) await spool.write(chunk as Uint8Array);
    }
    if (after) for await (const chunk of after.read()) await spool.write(chunk);
    return spool;
  } catch (error) {
    await spool.close();
    throw error;
  }
}

/** As `joined`, and closes what follows. */
async function merged(deps: TransferDeps, pieces: readonly Piece[], after: Spool): Promise<Spool> {
  try {
    return await joined(deps, pieces, after);
  } finally {
    await after.close();
  }
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.size, 0);
}
