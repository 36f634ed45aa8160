/** Which YAML library's reading of plain scalars: go-yaml v3 (`verify`) or v2 (`test`, `expand`, `bench`: yes and no are booleans). */
export type Dialect = 'v3' | 'v2';

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUE = new Set(['true', 'True', 'TRUE']);
const FALSE = new Set(['false', 'False', 'FALSE']);
const OLD_TRUE = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']);
const OLD_FALSE = new Set(['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);
const NOT_FINITE = /^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ](\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d{1,9})?(Z|[-+]\d{2}:\d{2})?)?$/;

/** A number that JSON cannot say; Go refuses to write it. */
export const NOT_A_JSON_NUMBER = Symbol('not a JSON number');

/** The value of a plain scalar. */
export function plainScalar(dialect: Dialect, text: string): unknown {
  if (NULLS.has(text)) return null;
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  if (dialect === 'v2') {
    if (OLD_TRUE.has(text)) return true;
    if (OLD_FALSE.has(text)) return false;
  }
  if (NOT_FINITE.test(text)) return NOT_A_JSON_NUMBER;
  if (text.startsWith('.')) return FLOAT.test(text) ? Number(text) : text;
  if (!/^[-+0-9]/.test(text)) return text;
  // go-yaml v2 keeps what looks like a date as the text it is.
  if (DATE.test(text)) return dialect === 'v3' ? (timestamp(text) ?? text) : text;
  const plain = text.replaceAll('_', '');
  return integer(plain) ?? (FLOAT.test(plain) ? finite(Number(plain)) : text);
}

function finite(value: number): unknown {
  return Number.isFinite(value) ? value : NOT_A_JSON_NUMBER;
}

const BASES: readonly (readonly [RegExp, number])[] = [
  [/^[-+]?0[xX]([0-9a-fA-F]+)$/, 16],
  [/^[-+]?0[bB]([01]+)$/, 2],
  [/^[-+]?0[oO]?([0-7]+)$/, 8],
  [/^[-+]?([1-9][0-9]*|0)$/, 10],
];

function integer(text: string): number | undefined {
  for (const [form, base] of BASES) {
    const digits = form.exec(text)?.[1];
    if (digits === undefined) continue;
    const value = Number.parseInt(digits, base);
    // Beyond 64 bits it is no integer for Go either; as a float it means the same here.
    return text.startsWith('-') ? 0 - value : value;
  }
  return undefined;
}

const two = (part: string): string => part.padStart(2, '0');

/** A date as Go writes it into JSON: RFC 3339 without needless zeros. Undefined when there is no such day. */
function timestamp(text: string): string | undefined {
  const [, year = '', month = '', day = '', hour = '0', minute = '0', second = '0', fraction = '', zone] =
    DATE.exec(text) ?? [];
  const spaced = text.includes(' ');
  if (text.includes(':') && spaced === (zone !== undefined)) return undefined;
  const at = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (at.getUTCMonth() !== Number(month) - 1 || at.getUTCDate() !== Number(day)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const part = fraction.replace(/\.?0+$/, '');
  const shown = zone === '+00:00' || zone === '-00:00' ? 'Z' : (zone ?? 'Z');
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${part}${shown}`;
}
