import { type Dialect, plainScalar } from './scalars.ts';

/** Where a scalar is written: what continues it stands at `indent`, and lines are folded behind `width`. */
export interface ScalarPlace {
  readonly dialect: Dialect;
  readonly column: number;
  readonly indent: number;
  readonly width: number;
  readonly key: boolean;
  /** Inside of braces or brackets, where more characters mean something. */
  readonly flow?: boolean;
}

const OLD_BOOL = /^(?:[yYnN]|yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
/** Not printable for go-yaml: controls, the byte order mark, everything beyond sixteen bits. */
const SPECIAL = /[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
const FLOW_INDICATOR = /[,?[\]{}:]/;
const INDICATOR = /^[#,[\]{}&*!|>'"%@`]|^[?:](?:\s|$)|^-(?:\s|$)|^---|^\.\.\.|:(?:\s|$)|\s#/;

/** A text as go-yaml writes it: bare where it reads back as the text it is, else quoted or as a block of lines. */
export function writeText(text: string, place: ScalarPlace): string {
  const special = SPECIAL.test(text) || / \n/.test(text);
  if (text.includes('\n')) {
    const block = !place.key && !place.flow && !special && !text.endsWith(' ');
    return block ? literal(text, place) : doubleQuoted(text, place);
  }
  if (resolves(place.dialect, text)) return doubleQuoted(text, place);
  const plain =
    !special &&
    !text.includes('\t') &&
    !/^ | $/.test(text) &&
    !INDICATOR.test(text) &&
    !(place.flow && FLOW_INDICATOR.test(text));
  if (plain) return folded(text, place);
  if (special || text.includes('\t')) return doubleQuoted(text, place);
  return singleQuoted(text, place);
}

/** Would the bare text be read as something else? */
function resolves(dialect: Dialect, text: string): boolean {
  const date = /^\d{4}-/.test(text) && plainScalar('v3', text) !== text;
  return plainScalar(dialect, text) !== text || date || BASE_60.test(text) || (dialect === 'v3' && OLD_BOOL.test(text));
}

/** Breaks a line at single spaces once it is longer than wanted. */
function folded(text: string, { column, indent, width, key }: ScalarPlace, quote = ''): string {
  if (key || column + text.length <= width) return text;
  let at = column + quote.length;
  let out = '';
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? '';
    const alone = character === ' ' && text[index - 1] !== ' ' && text[index + 1] !== ' ';
    const inside = quote === '' || (index > 0 && index < text.length - 1);
    if (alone && inside && at > width) {
      out += `\n${' '.repeat(indent)}`;
      at = indent;
    } else {
      out += character;
      at += 1;
    }
  }
  return out;
}

function singleQuoted(text: string, place: ScalarPlace): string {
  return `'${folded(text.replaceAll("'", "''"), place, "'")}'`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0000': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function doubleQuoted(text: string, place: ScalarPlace): string {
  const escaped = Array.from(text, (character) => {
    const known = ESCAPES[character];
    if (known !== undefined) return character === '\t' && !place.key ? '\\t' : known;
    if (!SPECIAL.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    const hex = (digits: number) => code.toString(16).toUpperCase().padStart(digits, '0');
    return code <= 0xff ? `\\x${hex(2)}` : code <= 0xff_ff ? `\\u${hex(4)}` : `\\U${hex(8)}`;
  }).join('');
  return `"${folded(escaped, place, '"')}"`;
}

function literal(text: string, { indent, dialect }: ScalarPlace): string {
  const hint = /^[ \n]/.test(text) ? (dialect === 'v3' ? '4' : '2') : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const body = text.replace(/\n$/, '').split('\n');
  const lines = body.map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`));
  return `|${hint}${chomp}\n${lines.join('\n')}`;
}
