import { decodeName } from './names.ts';

/** Kind of a tar entry, as far as a file system cares. */
export type EntryKind = 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';

/** One header block (POSIX ustar, GNU), before long names are applied. */
export interface TarHeader {
  readonly name: string;
  readonly linkName: string;
  readonly size: number;
  /** The type flag as it stands: `x`, `g`, `L`, `K` carry data for the next entry. */
  readonly flag: string;
}

export const BLOCK = 512;
const ZERO_BLOCK: Buffer = Buffer.alloc(BLOCK);
const NUL = 0;
const SPACE = 0x20;
const ZERO = 0x30;
/** Octal digits leave room for 8 GiB; GNU writes larger numbers in base 256. */
const BASE_256 = 0x80;

/** True for the block of zeros that ends an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block[0] === NUL && block.equals(ZERO_BLOCK);
}

/** Reads a header block; undefined when its checksum is wrong or its size cannot be. */
export function parseHeader(block: Buffer): TarHeader | undefined {
  if (!checksumFits(block)) return undefined;
  const size = numberAt(block, 124, 12);
  if (size === undefined) return undefined;
  const prefix = isUstar(block) ? textAt(block, 345, 155) : '';
  const name = textAt(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: textAt(block, 157, 100),
    size,
    flag: String.fromCharCode(block[156] ?? NUL),
  };
}

/** `ustar` and the version of POSIX; GNU's own headers have blanks there, and no prefix. */
function isUstar(block: Buffer): boolean {
  return block.readUInt32BE(257) === 0x75737461 && block[261] === 0x72 && block[263] === 0x30;
}

/** What a type flag stands for; unknown ones are files (POSIX.1-2017, pax, "ustar Interchange Format"). */
export function kindOf(flag: string, name: string): EntryKind {
  switch (flag) {
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
    case '4':
    case '6':
      return 'other';
    case '5':
    case 'D':
      return 'directory';
    default:
      // Old archives mark directories by a slash only.
      return name.endsWith('/') ? 'directory' : 'file';
  }
}

/** True for entries that consist of their header alone, whatever its size field says. */
export function isHeaderOnly(flag: string): boolean {
  return flag >= '1' && flag <= '6';
}

/** A GNU header of a sparse file goes on in blocks of its own, each of which says whether another follows. */
export function sparseGoesOn(block: Buffer, extension: boolean): boolean {
  return block[extension ? 504 : 482] === 1;
}

/** The sum of all bytes with the checksum field as blanks; some writers sum signed bytes. */
function checksumFits(block: Buffer): boolean {
  let sum = 8 * SPACE;
  let negative = 0;
  for (let at = 0; at < BLOCK; at += 1) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    sum += byte;
    negative += byte >> 7;
  }
  const stored = numberAt(block, 148, 8);
  return stored === sum || stored === sum - 256 * negative;
}

function numberAt(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  if (first & BASE_256) {
    let value = first & 0x7f;
    for (let at = start + 1; at < start + length; at += 1) value = value * 256 + (block[at] ?? 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  return octalAt(block, start, start + length);
}

/** Octal digits between blanks or NULs. Without strings: every entry has two such numbers. */
function octalAt(block: Buffer, start: number, end: number): number | undefined {
  let at = start;
  let last = end;
  while (at < last && block[at] === SPACE) at += 1;
  while (last > at && (block[last - 1] === SPACE || block[last - 1] === NUL)) last -= 1;
  let value = 0;
  for (; at < last; at += 1) {
    const digit = (block[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return value;
}

function textAt(block: Buffer, start: number, length: number): string {
  if (block[start] === NUL) return '';
  const end = block.indexOf(NUL, start);
  return decodeName(block.subarray(start, end < 0 || end > start + length ? start + length : end));
}
