import { createHash, type Hash } from 'node:crypto';
import type { DigestAlgorithm } from '../../../oci/digest.ts';
import type { Bucket, Part } from './bucket.ts';
import type { Keys } from './keys.ts';
import { newRecord, type Piece, readRecord, type UploadRecord } from './record.ts';

/** Hash of the first `size` bytes of an upload. */
export interface RunningHash {
  readonly algorithm: DigestAlgorithm;
  readonly hash: Hash;
  size: number;
}

/** What this process knows of an upload. */
export interface Progress {
  record: UploadRecord;
  /** Nobody has written the record yet. */
  readonly fresh: boolean;
  parts: readonly Part[];
  /** The parts were put together: nothing can be added, only the digest is open. */
  closed?: { readonly object: string; readonly size: number };
  size: number;
  /** Covers what came through this process from the first byte on. */
  hash: RunningHash;
}

interface ProgressDeps {
  readonly bucket: Bucket;
  readonly keys: Keys;
}

export function newHash(algorithm: DigestAlgorithm): RunningHash {
  return { algorithm, hash: createHash(algorithm), size: 0 };
}

/** What the store has of an upload; of an unknown one, nothing. */
export async function loadProgress(deps: ProgressDeps, id: string): Promise<Progress> {
  const record = await readRecord(deps, id);
  const hash = newHash('sha256');
  if (!record) return { record: newRecord(id), fresh: true, parts: [], size: 0, hash };
  if (record.blob) {
    const { object, size } = record.blob;
    return { record, fresh: false, parts: [], closed: { object, size }, size, hash };
  }
  const { multipart } = record;
  const listed = multipart && (await deps.bucket.listParts(deps.keys.object(multipart.object), multipart.upload));
  if (multipart && !listed) {
    const whole = await deps.bucket.head(deps.keys.object(multipart.object));
    if (whole) {
      const closed = { object: multipart.object, size: whole.size };
      return { record, fresh: false, parts: [], closed, size: whole.size, hash };
    }
  }
  const parts = withoutGaps(listed ?? []);
  const inParts = parts.reduce((sum, part) => sum + part.size, 0);
  const tail = await present(deps, continuing(record.tail, inParts));
  const size = tail.reduce((sum, piece) => sum + piece.size, inParts);
  return { record: withoutLost({ ...record, tail }, listed !== undefined), fresh: false, parts, size, hash };
}

/** Parts are sent side by side: when we were cut off, a later one may be there without an earlier one. */
function withoutGaps(parts: readonly Part[]): Part[] {
  const sorted = parts.toSorted((a, b) => a.number - b.number);
  return sorted.filter((part, at) => part.number === at + 1);
}

/** The pieces that follow on from `offset`; others became part of a part when we were cut off. */
function continuing(tail: readonly Piece[], offset: number): Piece[] {
  const pieces: Piece[] = [];
  let at = offset;
  for (const piece of tail) {
    if (piece.offset !== at) break;
    pieces.push(piece);
    at += piece.size;
  }
  return pieces;
}

/** The pieces up to the first that was noted but not written. */
async function present({ bucket, keys }: ProgressDeps, tail: readonly Piece[]): Promise<Piece[]> {
  const found = await Promise.all(tail.map((piece) => bucket.head(keys.object(piece.object))));
  const missing = tail.findIndex((piece, at) => found[at]?.size !== piece.size);
  return missing === -1 ? [...tail] : tail.slice(0, missing);
}

/** The store threw the parts away, by a rule of the bucket perhaps: the upload begins again. */
function withoutLost(record: UploadRecord, kept: boolean): UploadRecord {
  if (kept || !record.multipart) return record;
  const { multipart: _, ...rest } = record;
  return rest;
}
