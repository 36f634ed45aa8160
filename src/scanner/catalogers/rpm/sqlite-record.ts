import { readVarint } from './sqlite-file.ts';

/** A value of a record: its serial type and its bytes. */
export interface SqliteValue {
  readonly kind: 'text' | 'blob' | 'other';
  readonly bytes: Buffer;
}

/** Bytes of the serial types 0 to 11: null, integers, a float, the constants 0 and 1, two that are not used. */
const LENGTHS = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0] as const;
const MOST_COLUMNS = 100;

/** The values of a record ("Database File Format", section 2.1); those that do not lie in it are left out. */
export function valuesOf(record: Buffer): SqliteValue[] {
  const values: SqliteValue[] = [];
  const head = readVarint(record, 0);
  if (!head || head.value > record.length) return values;
  let body = head.value;
  let at = head.end;
  while (at < head.value && values.length < MOST_COLUMNS) {
    const type = readVarint(record, at);
    if (!type) break;
    const length = LENGTHS[type.value] ?? Math.floor((type.value - 12) / 2);
    if (body + length > record.length) break;
    const kind = type.value < 12 ? 'other' : type.value % 2 === 0 ? 'blob' : 'text';
    values.push({ kind, bytes: record.subarray(body, body + length) });
    body += length;
    at = type.end;
  }
  return values;
}

/** An integer value; undefined when it is none, or longer than 48 bits. */
export function integerOf({ kind, bytes }: SqliteValue): number | undefined {
  return kind === 'other' && bytes.length >= 1 && bytes.length <= 6 ? bytes.readUIntBE(0, bytes.length) : undefined;
}
