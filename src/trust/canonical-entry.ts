import { parseEntry, type TrustEntry } from './match/entry.ts';

/**
 * The one text under which an entry is kept, with registry and official-image folder written out. An entry whose written-out
 * text would be read as something else keeps its own.
 */
export function canonicalEntry(entry: TrustEntry): string {
  const text = format(entry);
  return isSame(parseEntry(text), entry) ? text : entry.text;
}

function format({ registry, path, onlyBelow, tag, digest }: TrustEntry): string {
  if (path === undefined) return registry;
  const end = tag === undefined ? '' : `:${tag}`;
  return `${registry}/${path}${onlyBelow ? '/' : ''}${end}${digest === undefined ? '' : `@${digest}`}`;
}

function isSame(a: TrustEntry, b: TrustEntry): boolean {
  return (['scope', 'registry', 'path', 'onlyBelow', 'tag', 'digest'] as const).every((field) => a[field] === b[field]);
}
