import type { DocumentBytes } from './document-bytes.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LONGEST_KEY = 200;

/** A value of a JSON text that has not been parsed. */
export interface JsonPiece {
  readonly start: number;
  readonly end: number;
}

/**
 * Members of the object at `piece`, unparsed, so that a text of any size is read without building it in memory. Ends early,
 * without a word, where the text is no JSON: `isClosed` tells.
 */
export function* jsonMembers(
  bytes: DocumentBytes,
  piece: JsonPiece,
): Generator<readonly [key: string, value: JsonPiece]> {
  let at = skipBlanks(bytes, piece.start);
  if (bytes.at(at) !== OPEN_BRACE) return;
  at = skipBlanks(bytes, at + 1);
  while (at < piece.end && bytes.at(at) === QUOTE) {
    const keyEnd = endOfString(bytes, at, piece.end);
    const colon = skipBlanks(bytes, keyEnd);
    if (bytes.at(colon) !== COLON) return;
    const start = skipBlanks(bytes, colon + 1);
    const end = endOfValue(bytes, start, piece.end);
    if (keyEnd - at <= LONGEST_KEY) yield [bytes.slice(at + 1, keyEnd - 1).toString('utf8'), { start, end }];
    at = skipBlanks(bytes, end);
    if (bytes.at(at) !== COMMA) return;
    at = skipBlanks(bytes, at + 1);
  }
}

/** Elements of the array at `piece`, unparsed; nothing when it is no array. */
export function* jsonElements(bytes: DocumentBytes, piece: JsonPiece): Generator<JsonPiece> {
  let at = skipBlanks(bytes, piece.start);
  if (bytes.at(at) !== OPEN_BRACKET) return;
  at = skipBlanks(bytes, at + 1);
  while (at < piece.end && bytes.at(at) !== CLOSE_BRACKET) {
    const end = endOfValue(bytes, at, piece.end);
    if (end === at) return;
    yield { start: at, end };
    at = skipBlanks(bytes, end);
    if (bytes.at(at) !== COMMA) return;
    at = skipBlanks(bytes, at + 1);
  }
}

/** True when the text is one value, closed at its end: nothing is missing, nothing follows. */
export function isClosed(bytes: DocumentBytes): boolean {
  // What is not closed ends at the limit, which is beyond the last byte here.
  const end = endOfValue(bytes, skipBlanks(bytes, 0), bytes.length + 1);
  return skipBlanks(bytes, end) === bytes.length;
}

/** Where a value ends: strings by their quote, objects and arrays by their brackets, the rest before the next sign. */
function endOfValue(bytes: DocumentBytes, start: number, limit: number): number {
  let depth = 0;
  let at = start;
  while (at < limit) {
    const byte = bytes.at(at);
    if (byte === QUOTE) at = endOfString(bytes, at, limit);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      at += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth -= 1;
      at += 1;
    } else if (byte === COMMA && depth === 0) return at;
    else at += 1;
    if (depth === 0 && (byte === QUOTE || byte === CLOSE_BRACE || byte === CLOSE_BRACKET)) return at;
  }
  return limit;
}

function endOfString(bytes: DocumentBytes, start: number, limit: number): number {
  let at = start + 1;
  while (at < limit) {
    const quote = bytes.find('"', at, limit);
    if (quote < 0) return limit;
    let slashes = quote;
    while (slashes > at && bytes.at(slashes - 1) === BACKSLASH) slashes -= 1;
    if ((quote - slashes) % 2 === 0) return quote + 1;
    at = quote + 1;
  }
  return limit;
}

function skipBlanks(bytes: DocumentBytes, start: number): number {
  let at = start;
  // A byte order mark counts as blank: EF BB BF.
  if (at === 0 && bytes.at(0) === 0xef && bytes.at(1) === 0xbb && bytes.at(2) === 0xbf) at = 3;
  while (bytes.at(at) === 0x20 || bytes.at(at) === 0x0a || bytes.at(at) === 0x0d || bytes.at(at) === 0x09) at += 1;
  return at;
}
