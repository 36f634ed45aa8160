import { createHash } from 'node:crypto';
import { type Digest, digestFrom } from './digest.ts';

const PIECE = 64 * 1024;
/** Members of a list that become one text. */
const MEMBERS = 200;

/** Order of two texts by UTF-16 code unit: the same on every machine and in every locale. */
export function compareText(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Canonical JSON of a plain value (RFC 8785): no white space, the members of every object in the order of their names by
 * UTF-16 code unit, numbers and texts as ECMAScript writes them. Members that are undefined are left out. Two values have the
 * same text exactly when they are equal; numbers too large for JSON keep a text of their own, so that none passes for `null`.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    // Texts have one form; long lists of them are common.
    if (value.every((member) => typeof member === 'string')) return JSON.stringify(value);
    return `[${value.map(canonicalJson).join(',')}]`;
  }
  const members = membersOf(value).map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 over the canonical JSON, `sha256:<hex>`. Lists keep their order: sort them first where it means nothing. */
export function canonicalHash(value: unknown): Digest {
  const hash = createHash('sha256');
  let pending = '';
  writePieces(value, (piece) => {
    pending += piece;
    if (pending.length < PIECE) return;
    hash.update(pending);
    pending = '';
  });
  return digestFrom('sha256', hash.update(pending));
}

/** The text in pieces, so that a list of a hundred thousand things is never one text. */
function writePieces(value: unknown, write: (piece: string) => void): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return writeList(value, write);
  let separator = '{';
  for (const [name, member] of membersOf(value)) {
    write(`${separator}${JSON.stringify(name)}:`);
    writeList(member, write);
    separator = ',';
  }
  write(separator === '{' ? '{}' : '}');
}

function writeList(value: unknown, write: (piece: string) => void): void {
  if (!Array.isArray(value)) return write(canonicalJson(value));
  let separator = '[';
  for (let at = 0; at < value.length; at += MEMBERS) {
    write(`${separator}${canonicalJson(value.slice(at, at + MEMBERS)).slice(1, -1)}`);
    separator = ',';
  }
  write(separator === '[' ? '[]' : ']');
}

function membersOf(value: object): readonly (readonly [name: string, member: unknown])[] {
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => compareText(a, b));
}
