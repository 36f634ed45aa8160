import { normalisePath } from '../layers/paths.ts';

const UNPRINTABLE = /\p{Cc}/u;

/**
 * Name of an entry as a path below the archive's root: UTF-8 as Java and Python read it, backslashes of careless archivers
 * as slashes. Undefined for what no file can be called.
 */
export function entryName(raw: Buffer): string | undefined {
  const text = raw.toString('utf8').replaceAll('\\', '/');
  if (UNPRINTABLE.test(text)) return undefined;
  return normalisePath(text) || undefined;
}

/** True for the entry of a folder (APPNOTE 4.3.8: its name ends in a slash). */
export function isFolder(raw: Buffer): boolean {
  const last = raw[raw.length - 1];
  return last === 0x2f || last === 0x5c;
}
