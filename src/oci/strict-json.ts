import { CodedError } from '../platform/errors.ts';

export class JsonError extends CodedError<'json_invalid'> {}

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const DEEPEST = 64;

/**
 * Parses JSON that every reader must understand alike: UTF-8 without byte order mark, no member named twice in one
 * object, no `__proto__`, at most 64 levels deep. Parsers disagree on the rest, and what one reader judges another runs.
 * Throws `JsonError`.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = DECODER.decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw new JsonError('json_invalid', 'not JSON in UTF-8', { cause: error });
  }
  checkMembers(text);
  return value;
}

/** Walks the tokens of text that is known to be valid JSON. One entry per open bracket; arrays have no set of names. */
function checkMembers(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
        open.push(new Set());
        expectsName = true;
        break;
      case 0x5b: // [
        open.push(undefined);
        expectsName = false;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        expectsName = false;
        break;
      case 0x2c: // ,
        expectsName = open.at(-1) !== undefined;
        break;
      case 0x22: {
        const end = endOfString(text, at);
        if (expectsName) checkName(open.at(-1), text.slice(at, end + 1));
        expectsName = false;
        at = end;
        break;
      }
    }
    if (open.length > DEEPEST) throw new JsonError('json_invalid', `nested more than ${DEEPEST} levels deep`);
  }
}

function checkName(names: Set<string> | undefined, quoted: string): void {
  const name = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
  if (name === '__proto__') throw new JsonError('json_invalid', 'has a member named __proto__');
  if (names?.has(name)) throw new JsonError('json_invalid', `has the member "${name.slice(0, 100)}" twice`);
  names?.add(name);
}

/** Index of the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; ) {
    const quote = text.indexOf('"', at);
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
}
