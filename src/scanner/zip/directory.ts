import type { FileView } from '../file-view.ts';
import { bigNumberAt } from './end-record.ts';

/** One record of the central directory, as far as reading needs it. */
export interface DirectoryRecord {
  readonly flags: number;
  readonly method: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where the local header stands in the file. */
  readonly at: number;
  readonly rawName: Buffer;
}

const RECORD = 0x02014b50;
const FIXED = 46;
/** Fixed part and the three variable ones, each at most 64 KiB. */
const LONGEST = FIXED + 3 * 0xffff;
const WINDOW = 256 * 1024;
const BIG = 0xffffffff;
const ZIP64_FIELD = 1;

/**
 * The records of a central directory (APPNOTE 4.3.12) from `start` to `end`, in their order; `base` is what stands before
 * the archive in the file. Stops at the first thing that is no record: `broken` is then called with the place.
 */
export function* readDirectory(
  file: FileView,
  { start, end, base }: { readonly start: number; readonly end: number; readonly base: number },
  broken: (at: number) => void = () => undefined,
): Generator<DirectoryRecord> {
  let window: Buffer = Buffer.alloc(0);
  let windowAt = start;
  for (let at = start; at < end; ) {
    if (at + LONGEST > windowAt + window.length && windowAt + window.length < end) {
      windowAt = at;
      window = file.read(at, Math.min(end - at, WINDOW + LONGEST));
    }
    const bytes = window.subarray(at - windowAt, end - windowAt);
    if (bytes.length < FIXED || bytes.readUInt32LE(0) !== RECORD) return broken(at);
    const nameLength = bytes.readUInt16LE(28);
    const extraLength = bytes.readUInt16LE(30);
    const length = FIXED + nameLength + extraLength + bytes.readUInt16LE(32);
    if (length > bytes.length) return broken(at);
    const extra = bytes.subarray(FIXED + nameLength, FIXED + nameLength + extraLength);
    yield { ...placeOf(bytes, extra, base), rawName: bytes.subarray(FIXED, FIXED + nameLength) };
    at += length;
  }
}

/** Sizes and offset, from the extended field (APPNOTE 4.5.3) where the short ones are full. */
function placeOf(bytes: Buffer, extra: Buffer, base: number): Omit<DirectoryRecord, 'rawName'> {
  const long = zip64Of(extra);
  let used = 0;
  const numberAt = (at: number): number => {
    const short = bytes.readUInt32LE(at);
    if (short !== BIG || long === undefined || used + 8 > long.length) return short;
    used += 8;
    return bigNumberAt(long, used - 8);
  };
  const size = numberAt(24);
  const compressedSize = numberAt(20);
  const at = base + numberAt(42);
  return { flags: bytes.readUInt16LE(8), method: bytes.readUInt16LE(10), compressedSize, size, at };
}

function zip64Of(extra: Buffer): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === ZIP64_FIELD) return extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return undefined;
}
