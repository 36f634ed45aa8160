/** Reads numbers of one byte order out of a record. What lies beyond its end is zero. */
export interface Fields {
  readonly u16: (at: number) => number;
  readonly u32: (at: number) => number;
  readonly u64: (at: number) => number;
  /** An address or offset: 4 or 8 bytes. Above 2^53 only roughly right, which no file is long enough to notice. */
  readonly word: (at: number) => number;
  /** Text of at most `length` bytes up to the first zero. */
  readonly text: (at: number, length: number) => string;
}

/** Fields of a record in this byte order and word size. */
export function fieldsOf(
  record: Buffer,
  { bigEndian, wide }: { readonly bigEndian: boolean; readonly wide: boolean },
): Fields {
  const has = (at: number, length: number) => at >= 0 && at + length <= record.length;
  const u16 = (at: number) => (has(at, 2) ? (bigEndian ? record.readUInt16BE(at) : record.readUInt16LE(at)) : 0);
  const u32 = (at: number) => (has(at, 4) ? (bigEndian ? record.readUInt32BE(at) : record.readUInt32LE(at)) : 0);
  const [high, low] = bigEndian ? [0, 4] : [4, 0];
  const u64 = (at: number) => (has(at, 8) ? u32(at + high) * 2 ** 32 + u32(at + low) : 0);
  return {
    u16,
    u32,
    u64,
    word: wide ? u64 : u32,
    text: (at, length) => {
      const piece = record.subarray(at, at + length);
      const end = piece.indexOf(0);
      return piece.toString('latin1', 0, end < 0 ? piece.length : end);
    },
  };
}
