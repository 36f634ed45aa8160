import type { Dialect } from './scalars.ts';
import { writeText } from './write-scalar.ts';

interface Style {
  readonly dialect: Dialect;
  readonly indent: number;
  readonly width: number;
}

const STYLES: Readonly<Record<Dialect, Style>> = {
  v2: { dialect: 'v2', indent: 2, width: 80 },
  v3: { dialect: 'v3', indent: 4, width: Number.POSITIVE_INFINITY },
};

/** Fields that keep the order they have, because Go writes them from a struct; the keys of all other objects are sorted. */
export class Struct {
  readonly fields: readonly (readonly [name: string, value: unknown])[];

  constructor(fields: readonly (readonly [name: string, value: unknown])[]) {
    this.fields = fields;
  }
}

/** A value that go-yaml writes on one line, in braces. */
export class Flow {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** A JSON value as go-yaml writes it. Numbers are floats, as everything that came through JSON is there. */
export function writeYaml(dialect: Dialect, value: unknown): string {
  return `${block(STYLES[dialect], value, -1, 'root').replace(/^\n/, '')}\n`;
}

/** A value after its key or dash; collections begin with a line end unless they stand behind a dash. */
function block(style: Style, value: unknown, indent: number, place: 'root' | 'item' | 'field', column = 0): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : sequence(style, value, indent, place);
  if (value instanceof Struct) return mapping(style, value.fields, indent, place);
  if (value instanceof Flow) return flow(style, value.value);
  if (typeof value === 'object' && value !== null) {
    const entries = sortedFields(style, value);
    return entries.length === 0 ? '{}' : mapping(style, entries, indent, place);
  }
  if (typeof value === 'string') {
    return writeText(value, { ...style, column, indent: deeper(style, indent, place), key: false });
  }
  return typeof value === 'number' ? float(value) : String(value);
}

function flow(style: Style, value: unknown): string {
  const text = (one: string) => writeText(one, { ...style, column: 0, indent: 0, key: false, flow: true });
  if (Array.isArray(value)) return `[${value.map((one) => flow(style, one)).join(', ')}]`;
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? float(value) : String(value);
  const fields = value instanceof Struct ? value.fields : sortedFields(style, value);
  return `{${fields.map(([name, one]) => `${text(name)}: ${flow(style, one)}`).join(', ')}}`;
}

function sortedFields({ dialect }: Style, value: object): [string, unknown][] {
  return Object.entries(value).sort(([left], [right]) => naturally(dialect, left, right));
}

/** go-yaml v3 keeps to multiples of its indentation, except behind a dash. */
function deeper({ dialect, indent: step }: Style, indent: number, place: 'root' | 'item' | 'field'): number {
  if (indent < 0) return 0;
  if (dialect === 'v2') return indent + step;
  return place === 'item' ? indent + 2 : step * Math.floor((indent + step) / step);
}

function sequence(style: Style, items: readonly unknown[], indent: number, place: 'root' | 'item' | 'field'): string {
  const own = style.dialect === 'v2' && place === 'field' ? indent : deeper(style, indent, place);
  const pad = ' '.repeat(own);
  const lines = items.map((item) => `- ${block(style, item, own, 'item', own + 2)}`);
  return place === 'item' ? lines.join(`\n${pad}`) : `\n${pad}${lines.join(`\n${pad}`)}`;
}

function mapping(
  style: Style,
  entries: readonly (readonly [string, unknown])[],
  indent: number,
  place: 'root' | 'item' | 'field',
): string {
  const own = deeper(style, indent, place);
  const pad = ' '.repeat(own);
  const lines = entries.map(([name, value]) => {
    const key = writeText(name, { ...style, column: own, indent: own, key: true });
    const written = block(style, value, own, 'field', own + key.length + 2);
    return `${key}:${written.startsWith('\n') ? '' : ' '}${written}`;
  });
  return place === 'item' ? lines.join(`\n${pad}`) : `\n${pad}${lines.join(`\n${pad}`)}`;
}

/** `%g` with the fewest digits: exponents from a million on, as 1e+06. */
function float(value: number): string {
  const [, exponent = '0'] = /e(.*)$/.exec(value.toExponential()) ?? [];
  if (Number(exponent) >= -4 && Number(exponent) < 6) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;

/** go-yaml's order of keys: letters after everything else, runs of digits by their number. */
function naturally(dialect: Dialect, left: string, right: string): number {
  const [a, b] = [Array.from(left), Array.from(right)];
  let digits = false;
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [one = '', two = ''] = [a[at], b[at]];
    if (one === two) {
      digits = DIGIT.test(one);
      continue;
    }
    const [oneLetter, twoLetter] = [LETTER.test(one), LETTER.test(two)];
    if (oneLetter && twoLetter) return (one.codePointAt(0) ?? 0) - (two.codePointAt(0) ?? 0);
    if (oneLetter || twoLetter) return (dialect === 'v3' && digits ? oneLetter : twoLetter) ? -1 : 1;
    const lead = (one === '0' || two === '0') && /[1-9]\d*$/.test(a.slice(0, at).join('')) ? '1' : '';
    const [numberA, numberB] = [lead + runOfDigits(a, at), lead + runOfDigits(b, at)];
    if (Number(numberA) !== Number(numberB)) return Number(numberA) - Number(numberB);
    if (numberA.length !== numberB.length) return numberA.length - numberB.length;
    return (one.codePointAt(0) ?? 0) - (two.codePointAt(0) ?? 0);
  }
  return a.length - b.length;
}

function runOfDigits(characters: readonly string[], from: number): string {
  let end = from;
  while (/^[0-9]$/.test(characters[end] ?? '')) end += 1;
  return characters.slice(from, end).join('');
}
