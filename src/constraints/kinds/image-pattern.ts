import {
  DOCKER_HUB,
  formatReference,
  looksLikeHost,
  normaliseRegistry,
  type Reference,
  tryParseReference,
} from '../../oci/reference.ts';
import { compilePrefixes } from '../../trust/match/prefixes.ts';

/** An image text, or the beginning of one before a final `*`, as `K8sAllowedReposv2` and `exemptImages` list them. */
export interface ImagePatterns {
  matches(image: string, reference: Reference | undefined): boolean;
  readonly problems: readonly string[];
}

/** Compares as Gatekeeper's library does: whole raw texts, or raw beginnings. */
export function rawPatterns(patterns: readonly string[]): ImagePatterns {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const prefixes = compilePrefixes(
    patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1)),
  );
  return {
    matches: (image) => exact.has(image) || prefixes.of(image) !== undefined,
    problems: [],
  };
}

/**
 * The same on normalised names: `nginx*` speaks of `docker.io/library/nginx`, an exact `name:tag` also of that tag with a
 * digest beside it, and a `*` behind a host name never reaches into another host's name.
 */
export function referencePatterns(patterns: readonly string[]): ImagePatterns {
  const problems: string[] = [];
  const exact = new Set<string>();
  const beginnings: string[] = [];
  for (const pattern of patterns) {
    if (pattern.endsWith('*')) {
      beginnings.push(normalisePrefix(pattern.slice(0, -1)));
      continue;
    }
    const reference = tryParseReference(pattern);
    if (reference) exact.add(keyOf(reference));
    else problems.push(`${JSON.stringify(pattern)} is not an image reference and matches nothing`);
  }
  const prefixes = compilePrefixes(beginnings);
  return {
    problems,
    matches(_image, reference) {
      if (reference === undefined) return false;
      if (exact.has(keyOf(reference))) return true;
      const { digest: _digest, ...tagged } = reference;
      if (reference.digest !== undefined && reference.tag !== undefined && exact.has(keyOf(tagged))) return true;
      return beginnings.length > 0 && prefixes.of(formatReference(reference)) !== undefined;
    },
  };
}

/** Without tag and digest a client asks for `latest`. */
function keyOf(reference: Reference): string {
  const { tag, digest } = reference;
  return tag === undefined && digest === undefined
    ? formatReference({ ...reference, tag: 'latest' })
    : formatReference(digest === undefined ? reference : withoutTag(reference));
}

/** The digest is the identity; a tag beside it is for people. */
function withoutTag({
  registry,
  repository,
  digest,
}: Reference): Pick<Reference, 'registry' | 'repository' | 'digest'> {
  return { registry, repository, ...(digest === undefined ? {} : { digest }) };
}

export function normalisePrefix(prefix: string): string {
  if (prefix === '') return '';
  const slash = prefix.indexOf('/');
  const first = slash < 0 ? prefix : prefix.slice(0, slash);
  if (slash < 0) {
    // With a dot or a port it can only be a host: closed at its end, or a longer host name would begin with it.
    const isHost = first.includes('.') || /:[0-9]+$/.test(first) || first === 'localhost';
    return isHost ? `${normaliseRegistry(first)}/` : `${DOCKER_HUB}/library/${prefix}`;
  }
  return looksLikeHost(first) ? `${normaliseRegistry(first)}${prefix.slice(slash)}` : `${DOCKER_HUB}/${prefix}`;
}
