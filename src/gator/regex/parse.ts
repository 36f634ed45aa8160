import { readClass, readEscape } from './classes.ts';
import { Cursor } from './cursor.ts';
import { foldClass, MOST_REPEATS, type Piece, syntaxError } from './syntax.ts';

interface Flags {
  readonly fold: boolean;
  readonly dotAll: boolean;
  readonly lines: boolean;
}

const EMPTY: Piece = { kind: 'empty' };
/** Go's bound on how deep groups and repetitions may stand in one another. */
const DEEPEST = 1000;

/** Reads a regular expression in the syntax of Go's `regexp` (RE2). Throws `GatorError('regex_invalid')` in its words. */
export function parseRegex(pattern: string): Piece {
  const cursor = new Cursor(pattern);
  const [piece] = alternatives(cursor, { fold: false, dotAll: false, lines: false }, 0);
  if (!cursor.done) throw syntaxError('unexpected )', pattern);
  return piece;
}

/** Reads up to the end or an unmatched `)`. Flags set inside hold until there. */
function alternatives(cursor: Cursor, given: Flags, depth: number): [Piece, Flags] {
  if (depth > DEEPEST) throw syntaxError('expression nests too deeply', cursor.pattern);
  let flags = given;
  const choices: Piece[] = [];
  let parts: Piece[] = [];
  let last: { readonly from: number } | undefined;
  while (!cursor.done && cursor.peek() !== ')') {
    const from = cursor.at;
    if (cursor.take('|')) {
      choices.push(sequence(parts));
      parts = [];
      last = undefined;
      continue;
    }
    const repeat = readRepeat(cursor);
    if (repeat) {
      const piece = parts.pop();
      if (piece === undefined || last === undefined) {
        throw syntaxError('missing argument to repetition operator', cursor.from(from));
      }
      if (cursor.at > from && repeat.follows) throw syntaxError('invalid nested repetition operator', repeat.follows);
      parts.push({ kind: 'repeat', piece, least: repeat.least, most: repeat.most });
      continue;
    }
    const group = readFlags(cursor, flags);
    if (group?.inside === false) {
      flags = group.flags;
      continue;
    }
    parts.push(group ? closed(cursor, group.flags, depth) : atom(cursor, flags, depth));
    last = { from };
  }
  choices.push(sequence(parts));
  return [choices.length === 1 ? (choices[0] ?? EMPTY) : { kind: 'alt', parts: choices }, flags];
}

function sequence(parts: readonly Piece[]): Piece {
  return parts.length === 1 ? (parts[0] ?? EMPTY) : parts.length === 0 ? EMPTY : { kind: 'cat', parts };
}

function closed(cursor: Cursor, flags: Flags, depth: number): Piece {
  const [piece] = alternatives(cursor, flags, depth + 1);
  if (!cursor.take(')')) throw syntaxError('missing closing )', cursor.pattern);
  return piece;
}

function atom(cursor: Cursor, flags: Flags, depth: number): Piece {
  const character = cursor.next();
  const char = (accepts: (code: number) => boolean): Piece => ({
    kind: 'char',
    accepts: flags.fold ? foldClass(accepts) : accepts,
  });
  switch (character) {
    case '(':
      return closed(cursor, flags, depth);
    case '^':
      return { kind: 'assert', what: flags.lines ? 'line-start' : 'text-start' };
    case '$':
      return { kind: 'assert', what: flags.lines ? 'line-end' : 'text-end' };
    case '.':
      return { kind: 'char', accepts: flags.dotAll ? () => true : (code) => code !== 10 };
    case '[':
      return char(readClass(cursor, flags.fold));
    case '\\':
      return escape(cursor, char);
    default: {
      const code = character.codePointAt(0) ?? 0;
      return char((other) => other === code);
    }
  }
}

const ASSERTIONS = { A: 'text-start', z: 'text-end', b: 'word', B: 'not-word' } as const;

function escape(cursor: Cursor, char: (accepts: (code: number) => boolean) => Piece): Piece {
  const letter = cursor.peek();
  if (letter === 'A' || letter === 'z' || letter === 'b' || letter === 'B') {
    cursor.next();
    return { kind: 'assert', what: ASSERTIONS[letter] };
  }
  if (letter === 'Q') {
    cursor.next();
    const end = cursor.pattern.indexOf('\\E', cursor.at);
    const text = cursor.takeUpTo(end < 0 ? cursor.pattern.length : end, end < 0 ? 0 : 2);
    return sequence(Array.from(text, (one) => char((code) => code === one.codePointAt(0))));
  }
  return char(readEscape(cursor));
}

/** `(?i)`, `(?i:…)`, `(?P<name>…)`. Undefined when what comes is no group with a question mark. */
function readFlags(cursor: Cursor, given: Flags): { readonly inside: boolean; readonly flags: Flags } | undefined {
  const from = cursor.at;
  if (!cursor.take('(?')) return undefined;
  const named = /^P?<([^>]*)>/.exec(cursor.rest);
  if (named) {
    if (!/^\w+$/.test(named[1] ?? '')) throw syntaxError('invalid named capture', `(?${named[0]}`);
    cursor.at += named[0].length;
    return { inside: true, flags: given };
  }
  const letters = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(cursor.rest);
  if (!letters || (letters[1] === '' && letters[2] === undefined && letters[3] === ')')) {
    if (/^P?<[^>]*$/.test(cursor.rest)) throw syntaxError('invalid named capture', cursor.pattern.slice(from));
    throw syntaxError('invalid or unsupported Perl syntax', cursor.pattern.slice(from, from + 3));
  }
  cursor.at += letters[0].length;
  const [, on = '', off = '', end] = letters;
  const flag = (letter: string, before: boolean) => (off.includes(letter) ? false : before || on.includes(letter));
  const flags = { fold: flag('i', given.fold), dotAll: flag('s', given.dotAll), lines: flag('m', given.lines) };
  return { inside: end === ':', flags };
}

interface Repeat {
  readonly least: number;
  readonly most: number;
  /** The text of two repetition operators that stand together, which RE2 refuses. */
  readonly follows?: string | undefined;
}

const SIGNS: Readonly<Record<string, readonly [number, number]>> = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
};

function readRepeat(cursor: Cursor): Repeat | undefined {
  const from = cursor.at;
  const bounds = oneRepeat(cursor);
  if (!bounds) return undefined;
  cursor.take('?');
  const end = cursor.at;
  const again = oneRepeat(cursor);
  if (again) cursor.take('?');
  const follows = again ? cursor.pattern.slice(from, cursor.at) : undefined;
  cursor.at = end;
  return { least: bounds[0], most: bounds[1], follows };
}

function oneRepeat(cursor: Cursor): readonly [number, number] | undefined {
  const sign = cursor.done ? undefined : SIGNS[cursor.peek()];
  if (sign) {
    cursor.next();
    return sign;
  }
  // What does not read as a count is the text it is.
  const counted = /^\{(\d+)(,(\d*))?\}/.exec(cursor.rest);
  if (!counted) return undefined;
  const [text, low = '', comma, high = ''] = counted;
  const least = Number(low);
  const most = comma === undefined ? least : high === '' ? Number.POSITIVE_INFINITY : Number(high);
  const bad = least > MOST_REPEATS || (Number.isFinite(most) && (most > MOST_REPEATS || most < least));
  if (bad) throw syntaxError('invalid repeat count', text);
  cursor.at += text.length;
  return [least, most];
}
