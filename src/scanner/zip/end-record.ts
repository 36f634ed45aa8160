import type { FileView } from '../file-view.ts';

/** Where the central directory stands in the file. */
export interface DirectoryPlace {
  readonly start: number;
  readonly end: number;
  /** Bytes before the archive: a launcher script or executable. Offsets in the archive do not count them. */
  readonly base: number;
}

const END = 0x06054b50;
const END_LENGTH = 22;
const LONGEST_COMMENT = 0xffff;
const LOCATOR = 0x07064b50;
const LOCATOR_LENGTH = 20;
const END64 = 0x06064b50;
const END64_LENGTH = 56;
const RECORD = 0x02014b50;
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;

/**
 * Finds the central directory by the end record (APPNOTE 4.3.16), or the extended one (4.3.14) it points to. The last end
 * record whose directory is where it says counts. Undefined when there is none: the file is no zip archive.
 */
export function findDirectory(file: FileView): DirectoryPlace | undefined {
  const tailAt = Math.max(0, file.size - END_LENGTH - LONGEST_COMMENT);
  const tail = file.read(tailAt, file.size - tailAt);
  for (let at = tail.length - END_LENGTH; at >= 0; at -= 1) {
    if (tail[at] !== 0x50 || tail.readUInt32LE(at) !== END) continue;
    const place = placeOf(file, tailAt + at, tail.subarray(at, at + END_LENGTH));
    if (place && isDirectory(file, place)) return place;
  }
  return undefined;
}

/** A number of eight bytes; what is larger than any file stays larger. */
export function bigNumberAt(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function placeOf(file: FileView, endAt: number, record: Buffer): DirectoryPlace | undefined {
  const commentEnd = endAt + END_LENGTH + record.readUInt16LE(20);
  if (commentEnd > file.size) return undefined;
  const size = record.readUInt32LE(12);
  const offset = record.readUInt32LE(16);
  if (size === FULL_32 || offset === FULL_32 || record.readUInt16LE(10) === FULL_16) {
    const long = extendedPlace(file, endAt - LOCATOR_LENGTH);
    if (long) return long;
  }
  return endingAt(endAt, size, offset);
}

function extendedPlace(file: FileView, locatorAt: number): DirectoryPlace | undefined {
  if (locatorAt < 0) return undefined;
  const locator = file.read(locatorAt, LOCATOR_LENGTH);
  if (locator.length < LOCATOR_LENGTH || locator.readUInt32LE(0) !== LOCATOR) return undefined;
  // Stated offsets do not count what stands before the archive, so the place right before the locator is tried first.
  for (const at of [locatorAt - END64_LENGTH, bigNumberAt(locator, 8)]) {
    if (at < 0 || at + END64_LENGTH > locatorAt) continue;
    const record = file.read(at, END64_LENGTH);
    if (record.readUInt32LE(0) === END64) return endingAt(at, bigNumberAt(record, 40), bigNumberAt(record, 48));
  }
  return undefined;
}

/** The directory ends where its end record begins; what its offset lacks stands before the archive. */
function endingAt(end: number, size: number, offset: number): DirectoryPlace | undefined {
  const start = end - size;
  const base = start - offset;
  return start >= 0 && base >= 0 ? { start, end, base } : undefined;
}

function isDirectory(file: FileView, { start, end }: DirectoryPlace): boolean {
  if (start === end) return true;
  const head = file.read(start, 4);
  return head.length === 4 && head.readUInt32LE(0) === RECORD;
}
