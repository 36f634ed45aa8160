/** What a pax header says that a reader must know: the rest (times, owners, attributes) does not matter here. */
export interface PaxValues {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;

/**
 * Reads pax records, `length key=value\n`. Damaged records end the reading: what came before them counts. Keys of GNU
 * sparse files are understood as far as the real name goes.
 */
export function parsePax(bytes: Buffer): PaxValues {
  const values: { path?: string; linkpath?: string; size?: number } = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(SPACE, at);
    if (space < 0 || space - at > 10) break;
    const length = Number(bytes.toString('latin1', at, space));
    const end = at + length;
    if (!Number.isSafeInteger(length) || length <= space - at || end > bytes.length || bytes[end - 1] !== NEWLINE)
      break;
    const record = bytes.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    apply(values, record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return values;
}

function apply(values: { path?: string; linkpath?: string; size?: number }, key: string, value: string): void {
  if (key === 'path' || key === 'GNU.sparse.name') values.path = value;
  else if (key === 'linkpath') values.linkpath = value;
  else if (key === 'size' && /^\d{1,16}$/.test(value)) values.size = Number(value);
}
