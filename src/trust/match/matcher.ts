import { DOCKER_HUB, REFERENCE_GRAMMAR, type Reference } from '../../oci/reference.ts';
import { parseEntry, type TrustEntry, TrustEntryError } from './entry.ts';
import { compilePrefixes } from './prefixes.ts';

/** `reference` compares parsed names on path boundaries; `prefix` compares raw text, as Gatekeeper's library does. */
export type MatchingMode = 'reference' | 'prefix';

export interface TrustMatcher {
  /**
   * An entry text that covers an image, or undefined when it is not trusted. `reference` is the parsed form of
   * `image`, undefined when it cannot be parsed: such an image is never trusted in `reference` mode, and in `prefix` mode
   * not when it is too long for a reference.
   */
  match(image: string, reference: Reference | undefined): string | undefined;
  /** Entries that cannot be used and trust nothing, with the reason. */
  readonly problems: readonly string[];
}

/** Prepares a trusted set for many questions; one question costs a few look-ups, however many entries there are. */
export function compileEntries(texts: readonly string[], mode: MatchingMode = 'reference'): TrustMatcher {
  return mode === 'prefix' ? compileRaw(texts) : compileReferences(texts);
}

/** True when one entry covers a reference. */
export function entryCovers(entry: TrustEntry, reference: Reference): boolean {
  if (entry.registry !== reference.registry) return false;
  if (entry.path === undefined) return true;
  switch (entry.scope) {
    case 'digest':
      return entry.path === reference.repository && entry.digest === reference.digest;
    case 'tag':
      return entry.path === reference.repository && entry.tag === tagOf(reference);
    default:
      return pathsOf(reference).some(({ path, whole }) => path === entry.path && !(whole && entry.onlyBelow));
  }
}

/** `latest` is what a client asks for when nothing is written; a bare digest has no tag. */
function tagOf(reference: Reference): string | undefined {
  return reference.tag ?? (reference.digest === undefined ? 'latest' : undefined);
}

/** The repository and every path above it; on Docker Hub the official image `x` may also be written `docker.io/x`. */
function pathsOf(reference: Reference): { path: string; whole: boolean }[] {
  const { repository, registry } = reference;
  const paths = [{ path: repository, whole: true }];
  for (let cut = repository.lastIndexOf('/'); cut > 0; cut = repository.lastIndexOf('/', cut - 1)) {
    paths.push({ path: repository.slice(0, cut), whole: false });
  }
  const official = registry === DOCKER_HUB && repository.startsWith('library/') && repository.slice('library/'.length);
  // `library/library/nginx` is another repository than `library/nginx`, and no official image.
  if (official && !official.includes('/')) paths.push({ path: official, whole: true });
  return paths;
}

function compileReferences(texts: readonly string[]): TrustMatcher {
  const problems: string[] = [];
  const byKey = new Map<string, TrustEntry[]>();
  for (const text of texts) {
    try {
      const entry = parseEntry(text);
      const key = keyOf(entry.registry, entry.path, entry.tag, entry.digest);
      const others = byKey.get(key);
      if (others) others.push(entry);
      else byKey.set(key, [entry]);
    } catch (error) {
      if (!(error instanceof TrustEntryError)) throw error;
      problems.push(error.message);
    }
  }
  return {
    problems,
    match(_image, reference) {
      if (reference === undefined) return undefined;
      const { registry, repository, digest } = reference;
      const covering = (key: string): string | undefined =>
        byKey.get(key)?.find((one) => entryCovers(one, reference))?.text;
      const found = covering(keyOf(registry)) ?? covering(keyOf(registry, repository, tagOf(reference)));
      if (found !== undefined) return found;
      if (digest !== undefined) {
        const named = covering(keyOf(registry, repository, undefined, digest));
        if (named !== undefined) return named;
      }
      for (const { path } of pathsOf(reference)) {
        const above = covering(keyOf(registry, path));
        if (above !== undefined) return above;
      }
      return undefined;
    },
  };
}

function keyOf(registry: string, path?: string, tag?: string, digest?: string): string {
  if (path === undefined) return registry;
  if (digest !== undefined) return `${registry}/${path}@${digest}`;
  return tag === undefined ? `${registry}/${path}` : `${registry}/${path}:${tag}`;
}

function compileRaw(texts: readonly string[]): TrustMatcher {
  const usable = texts.filter((text) => text !== '');
  const prefixes = compilePrefixes(usable);
  return {
    problems: usable.length === texts.length ? [] : ['"" cannot be trusted: it is empty and would trust everything'],
    match: (image) => (image.length > REFERENCE_GRAMMAR.longestText ? undefined : prefixes.of(image)),
  };
}
