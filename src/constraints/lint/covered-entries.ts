import { DOCKER_HUB, tryParseReference } from '../../oci/reference.ts';
import type { TrustEntry } from '../../trust/match/entry.ts';
import { compilePrefixes } from '../../trust/match/prefixes.ts';
import { tryParseEntry } from './spellings.ts';

const OFFICIAL = 'library/';

/** An entry that another one covers whole, by position in the list. */
export interface CoveredEntry {
  readonly at: number;
  readonly by: number;
}

/** Entries of a list of repositories that another one covers whole. */
export function coveredEntries(texts: readonly string[], comparison: 'raw' | 'reference'): CoveredEntry[] {
  return comparison === 'raw' ? coveredAsText(texts) : coveredByReference(texts);
}

/** The shortest beginning of a text covers it; texts that are equal are another finding. */
function coveredAsText(texts: readonly string[]): CoveredEntry[] {
  const prefixes = compilePrefixes(texts.filter((text) => text !== ''));
  const first = firstPositions(texts);
  return texts.flatMap((text, at) => {
    const cover = prefixes.of(text);
    const by = cover === undefined || cover === text ? undefined : first.get(cover);
    return by === undefined ? [] : [{ at, by }];
  });
}

/** Probes stand for everything below an entry. Entries that cover the same lie together, so that few have to be looked at. */
function coveredByReference(texts: readonly string[]): CoveredEntry[] {
  const entries = texts.map(tryParseEntry);
  const alike = new Map<string, number[]>();
  const first = firstPositions(texts);
  for (const [at, entry] of entries.entries()) {
    if (entry === undefined || first.get(entry.text) !== at) continue;
    const key = keyOf(entry, entry.onlyBelow);
    const others = alike.get(key);
    if (others) others.push(at);
    else alike.set(key, [at]);
  }
  return entries.flatMap((entry, at) => {
    if (entry === undefined) return [];
    const covers = coversOf(entry).flatMap((key) => {
      // Of two that cover each other the first stays.
      const found = alike.get(key)?.find((index) => {
        const other = entries[index];
        return other && other.text !== entry.text && (index < at || !isSameName(entry, other));
      });
      return found ?? [];
    });
    return covers.length === 0 ? [] : [{ at, by: Math.min(...covers) }];
  });
}

/** The keys of all entries that could cover one. */
function coversOf(entry: TrustEntry): string[] {
  const { registry, path, onlyBelow, scope } = entry;
  if (path === undefined) return [keyOf({ registry, scope: 'registry' }, false)];
  const exact = scope === 'tag' || scope === 'digest';
  const end = exact ? `${entry.tag === undefined ? '' : `:${entry.tag}`}${entry.digest ? `@${entry.digest}` : ''}` : '';
  // What no image can be called is covered by nothing.
  if (tryParseReference(`${registry}/${path}${exact ? end : '/probe'}`) === undefined) return [];
  const keys = [keyOf({ registry, scope: 'registry' }, false), keyOf({ registry, path, scope: 'project' }, false)];
  // Everything below `library/` is an official image, and the one called `library` too.
  if (onlyBelow || (registry === DOCKER_HUB && path === 'library'))
    keys.push(keyOf({ registry, path, scope: 'project' }, true));
  if (exact) keys.push(keyOf(entry, false));
  // The official image `x` may also be written `docker.io/x`.
  if (exact && registry === DOCKER_HUB && path.startsWith(OFFICIAL))
    keys.push(keyOf({ registry, path: path.slice(OFFICIAL.length), scope: 'project' }, false));
  for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
    const above = path.slice(0, cut);
    for (const below of [false, true]) keys.push(keyOf({ registry, path: above, scope: 'project' }, below));
  }
  return keys;
}

/** Equal for entries that cover the same. */
function keyOf(
  { registry, path, scope, tag, digest }: Pick<TrustEntry, 'registry' | 'path' | 'scope' | 'tag' | 'digest'>,
  onlyBelow: boolean,
): string {
  const exact = scope === 'tag' || scope === 'digest';
  return JSON.stringify([registry, path, exact ? [scope, tag, digest] : 'all', onlyBelow]);
}

function isSameName(a: TrustEntry, b: TrustEntry): boolean {
  return a.registry === b.registry && a.path === b.path;
}

/** Where each text stands first. */
export function firstPositions(texts: readonly string[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const [at, text] of texts.entries()) if (!first.has(text)) first.set(text, at);
  return first;
}
