import { GatorError } from '../errors.ts';

/** What a piece of a regular expression stands for. Only truth is asked of it, so groups and greediness are gone. */
export type Piece =
  | { readonly kind: 'empty' }
  | { readonly kind: 'char'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'cat' | 'alt'; readonly parts: readonly Piece[] }
  | { readonly kind: 'repeat'; readonly piece: Piece; readonly least: number; readonly most: number };

export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word' | 'not-word';

/** Go's bound on counted repetition. */
export const MOST_REPEATS = 1000;

/** Throws as Go's `regexp.Compile` says it. */
export function syntaxError(what: string, where: string): GatorError {
  return new GatorError('regex_invalid', `error parsing regexp: ${what}: \`${where}\``);
}

export const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);

const between =
  (low: number, high: number) =>
  (code: number): boolean =>
    code >= low && code <= high;
const isDigit = between(48, 57);
const isSpace = (code: number): boolean => code === 9 || code === 10 || code === 12 || code === 13 || code === 32;

/** `\d \s \w` and their opposites. */
export const PERL_CLASSES: Readonly<Record<string, (code: number) => boolean>> = {
  d: isDigit,
  s: isSpace,
  w: isWord,
};

const isUpper = between(65, 90);
const isLower = between(97, 122);
const isAlpha = (code: number): boolean => isUpper(code) || isLower(code);

/** `[:alpha:]` and the others; ASCII only, as in RE2. */
export const POSIX_CLASSES: Readonly<Record<string, (code: number) => boolean>> = {
  alnum: (code) => isAlpha(code) || isDigit(code),
  alpha: isAlpha,
  ascii: (code) => code < 0x80,
  blank: (code) => code === 9 || code === 32,
  cntrl: (code) => code < 32 || code === 127,
  digit: isDigit,
  graph: between(33, 126),
  lower: isLower,
  print: between(32, 126),
  punct: (code) => between(33, 126)(code) && !isAlpha(code) && !isDigit(code),
  space: (code) => isSpace(code) || code === 11,
  upper: isUpper,
  word: isWord,
  xdigit: (code) => isDigit(code) || between(65, 70)(code) || between(97, 102)(code),
};

/** `\pL`, `\p{Greek}`: a category or script, asked of JavaScript one character at a time. Undefined for unknown names. */
export function unicodeClass(name: string): ((code: number) => boolean) | undefined {
  if (name === 'Any') return () => true;
  for (const property of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    if (!/^[A-Za-z_]+$/.test(name)) return undefined;
    try {
      const expression = new RegExp(`^${property}$`, 'u');
      // Binary properties such as Emoji are no categories and RE2 does not have them.
      if (property.startsWith('\\p{S') || name.length <= 2) {
        return (code) => expression.test(String.fromCodePoint(code));
      }
    } catch {
      // Not a name of that sort.
    }
  }
  return undefined;
}

/** The characters that Unicode calls equal but for case. */
function foldsOf(code: number): readonly number[] {
  const text = String.fromCodePoint(code);
  const folds = new Set([code]);
  for (const other of [text.toLowerCase(), text.toUpperCase()]) {
    if (Array.from(other).length === 1) folds.add(other.codePointAt(0) ?? code);
  }
  if (folds.has(0x6b)) folds.add(0x21_2a);
  if (folds.has(0x73)) folds.add(0x01_7f);
  return [...folds];
}

/** Makes a class of characters blind to case. */
export function foldClass(accepts: (code: number) => boolean): (code: number) => boolean {
  return (code) => foldsOf(code).some(accepts);
}
