import type { Cursor } from './cursor.ts';
import { PERL_CLASSES, POSIX_CLASSES, syntaxError, unicodeClass } from './syntax.ts';

type Accepts = (code: number) => boolean;

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** What follows a backslash: a class or one character. */
export function readEscape(cursor: Cursor): Accepts {
  const named = readNamedClass(cursor);
  if (named) return named;
  const code = readEscapedCharacter(cursor);
  return (other) => other === code;
}

/** `\d`, `\PL` and the like, after the backslash. */
function readNamedClass(cursor: Cursor): Accepts | undefined {
  const letter = cursor.peek();
  const perl = Object.hasOwn(PERL_CLASSES, letter.toLowerCase()) ? PERL_CLASSES[letter.toLowerCase()] : undefined;
  if (perl) {
    cursor.next();
    return letter === letter.toLowerCase() ? perl : (code) => !perl(code);
  }
  if (letter !== 'p' && letter !== 'P') return undefined;
  const from = cursor.at;
  cursor.next();
  const braced = /^\{(\^?)([^}]*)\}/.exec(cursor.rest);
  const name = braced ? (braced[2] ?? '') : cursor.peek();
  cursor.at += braced ? braced[0].length : name.length;
  const known = unicodeClass(name);
  if (!known) throw syntaxError('invalid character class range', `\\${cursor.from(from)}`);
  return (letter === 'P') !== (braced?.[1] === '^') ? (code) => !known(code) : known;
}

function readEscapedCharacter(cursor: Cursor): number {
  if (cursor.done) throw syntaxError('trailing backslash at end of expression', '');
  const from = cursor.at;
  const hex = /^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})/.exec(cursor.rest);
  if (hex) {
    cursor.at += hex[0].length;
    const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    if (code > 0x10_ff_ff) throw syntaxError('invalid escape sequence', `\\${cursor.from(from)}`);
    return code;
  }
  const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(cursor.rest);
  if (octal) {
    cursor.at += octal[0].length;
    return Number.parseInt(octal[0], 8);
  }
  const character = cursor.next();
  const control = CONTROLS[character];
  if (control !== undefined) return control;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80 && !/[0-9A-Za-z]/.test(character)) return code;
  throw syntaxError('invalid escape sequence', `\\${character}`);
}

/** A class in brackets, after the opening one. */
export function readClass(cursor: Cursor, fold: boolean): Accepts {
  const start = cursor.at - 1;
  const negated = cursor.take('^');
  const tests: Accepts[] = [];
  for (let first = true; first || cursor.peek() !== ']'; first = false) {
    if (cursor.done) throw syntaxError('missing closing ]', cursor.pattern.slice(start));
    const posix = /^\[:(\^?)(\w+):\]/.exec(cursor.rest);
    if (posix) {
      const known = POSIX_CLASSES[posix[2] ?? ''];
      if (!known) throw syntaxError('invalid character class range', posix[0]);
      cursor.at += posix[0].length;
      tests.push(posix[1] === '^' ? (code) => !known(code) : known);
      continue;
    }
    tests.push(readItem(cursor, start));
  }
  cursor.next();
  const any: Accepts = (code) => tests.some((test) => test(code));
  if (!negated) return any;
  // Case is folded before the class is turned round: `(?i)[^k]` accepts no K either.
  return fold ? (code) => !foldAny(any, code) : (code) => !any(code);
}

function foldAny(accepts: Accepts, code: number): boolean {
  const text = String.fromCodePoint(code);
  return [text, text.toLowerCase(), text.toUpperCase()].some((one) => accepts(one.codePointAt(0) ?? code));
}

/** One character, escape or range of a class. */
function readItem(cursor: Cursor, start: number): Accepts {
  const from = cursor.at;
  if (cursor.take('\\')) {
    const named = readNamedClass(cursor);
    if (named) return named;
    cursor.at = from;
  }
  const low = readBound(cursor, start);
  if (cursor.peek() !== '-' || cursor.pattern[cursor.at + 1] === ']' || cursor.at + 1 >= cursor.pattern.length) {
    return (code) => code === low;
  }
  cursor.next();
  const high = readBound(cursor, start);
  if (high < low) throw syntaxError('invalid character class range', cursor.from(from));
  return (code) => code >= low && code <= high;
}

function readBound(cursor: Cursor, start: number): number {
  if (cursor.done) throw syntaxError('missing closing ]', cursor.pattern.slice(start));
  if (cursor.take('\\')) return readEscapedCharacter(cursor);
  return cursor.next().codePointAt(0) ?? 0;
}
