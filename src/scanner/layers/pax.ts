import { decodeName } from './names.ts';

/** What a pax header says that a reader must know: the rest (times, owners, attributes) does not matter here. */
export interface PaxValues {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  /** The content is stored without its holes, in one of the forms of GNU tar. */
  readonly sparse?: boolean;
}

type Found = { -readonly [key in keyof PaxValues]: PaxValues[key] };

const NEWLINE = 0x0a;
const SPACE = 0x20;

/**
 * Reads pax records, `length key=value\n`. Damaged records end the reading: what came before them counts. An empty value
 * takes back what was said before (POSIX.1-2017, pax, "Extended Header"). Of GNU's sparse files only the real name is
 * understood.
 */
export function parsePax(bytes: Buffer): PaxValues {
  const values: Found = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(SPACE, at);
    if (space < 0 || space - at > 10) break;
    const length = Number(bytes.toString('latin1', at, space));
    const end = at + length;
    if (!Number.isSafeInteger(length) || length <= space - at || end > bytes.length || bytes[end - 1] !== NEWLINE)
      break;
    const record = bytes.subarray(space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals > 0) apply(values, record.toString('latin1', 0, equals), record.subarray(equals + 1));
    at = end;
  }
  return values;
}

function apply(values: Found, key: string, value: Buffer): void {
  if (key.startsWith('GNU.sparse.')) values.sparse = true;
  if (key === 'path' || key === 'GNU.sparse.name') setOrDelete(values, 'path', value);
  else if (key === 'linkpath') setOrDelete(values, 'linkpath', value);
  else if (key === 'size') {
    const size = value.toString('latin1');
    if (/^\d{1,16}$/.test(size) && Number.isSafeInteger(Number(size))) values.size = Number(size);
  }
}

function setOrDelete(values: Found, key: 'path' | 'linkpath', value: Buffer): void {
  if (value.length === 0) delete values[key];
  else values[key] = decodeName(value);
}
