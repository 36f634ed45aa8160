const QUOTE = 34;
const BACKSLASH = 92;
/** The API server writes the uid first; nobody waits for it to be found behind megabytes. */
const UID_WITHIN = 64 * 1024;

/** What a JSON text looks like from outside, without parsing it. */
export interface JsonShape {
  /** Members of all objects together, repeated keys included. */
  readonly members: number;
  /** Commas between them and between elements of arrays: what is read into memory is hardly more than these. */
  readonly commas: number;
  /** Objects and arrays inside each other; 0 for a bare value. */
  readonly depth: number;
}

/**
 * Measures a JSON text in one pass, without recursion, and stops where it is nested deeper than `mostLevels`. The text need
 * not be well-formed.
 */
export function shapeOf(text: string, mostLevels: number): JsonShape {
  let members = 0;
  let commas = 0;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case 44: // ,
        commas += 1;
        break;
      case 58: // :
        members += 1;
        break;
      case 91: // [
      case 123: // {
        depth += 1;
        if (depth > deepest) deepest = depth;
        if (depth > mostLevels) return { members, commas, depth };
        break;
      case 93: // ]
      case 125: // }
        depth -= 1;
        break;
      default:
    }
  }
  return { members, commas, depth: deepest };
}

/** The members a parsed value has; fewer than in its text when a key was repeated. Recurses as deep as the value is. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') members += countMembers(item);
    return members;
  }
  // What JSON.parse makes inherits nothing that `for in` would list, and this is the fastest way round.
  for (const key in value) {
    members += 1;
    const member = (value as Record<string, unknown>)[key];
    if (typeof member === 'object') members += countMembers(member);
  }
  return members;
}

/** The first key that one object has twice, with the way to it (`request.object.spec`); undefined when there is none. */
export function repeatedKey(text: string): { readonly key: string; readonly path: string } | undefined {
  const seen: Set<string>[] = [];
  const path: string[] = [];
  for (const { key, depth, first } of keysIn(text)) {
    if (first) seen[depth] = new Set();
    path.length = depth - 1;
    const keys = seen[depth];
    if (keys?.has(key)) return { key, path: path.filter(Boolean).join('.') };
    keys?.add(key);
    path[depth - 1] = key;
  }
  return undefined;
}

/** `request.uid` of a text that was not parsed, where it can be found without doing so. */
export function uidIn(text: string): string | undefined {
  let inRequest = false;
  for (const { key, depth, valueAt } of keysIn(text.slice(0, UID_WITHIN))) {
    if (depth === 1) inRequest = key === 'request';
    if (depth !== 2 || !inRequest || key !== 'uid') continue;
    const start = text.indexOf('"', valueAt);
    const uid = text.slice(valueAt, start).trim() === '' ? stringAt(text, start) : '';
    return uid === '' ? undefined : uid;
  }
  return undefined;
}

interface FoundKey {
  readonly key: string;
  /** 1 for members of the outermost object. */
  readonly depth: number;
  /** It is the first key of its object. */
  readonly first: boolean;
  /** Where its value begins, white space included. */
  readonly valueAt: number;
}

/** All keys in the order of the text. For errors only: what it gives for malformed text is a guess. */
function* keysIn(text: string): Generator<FoundKey> {
  const begun: boolean[] = [];
  let depth = 0;
  let stringStart = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        stringStart = at;
        at = endOfString(text, at);
        break;
      case 91:
      case 123:
        depth += 1;
        begun[depth] = false;
        break;
      case 93:
      case 125:
        depth -= 1;
        break;
      case 58:
        yield { key: stringAt(text, stringStart), depth, first: begun[depth] !== true, valueAt: at + 1 };
        begun[depth] = true;
        break;
      default:
    }
  }
}

/** Where the string that begins at `start` ends; the end of the text when it does not. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0 && text.charCodeAt(end - 1) === BACKSLASH) {
    let slashes = 1;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return end < 0 ? text.length : end;
}

function stringAt(text: string, start: number): string {
  const written = text.slice(start, endOfString(text, start) + 1);
  if (!written.includes('\\')) return written.slice(1, -1);
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === 'string' ? value : '';
  } catch {
    return '';
  }
}
