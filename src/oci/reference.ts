import { CodedError } from '../platform/errors.ts';
import { type Digest, tryParseDigest } from './digest.ts';

export class ImageReferenceError extends CodedError<'reference_invalid'> {}

/**
 * An image reference, normalised as Docker clients and containerd do it. With a digest the digest is the identity;
 * a tag written beside it is kept for people. Without both the tag is `latest` (`tag` stays absent).
 */
export interface Reference {
  /** Host with optional port, normalised; `docker.io` when none was written. */
  readonly registry: string;
  /** Full path, `library/nginx` on Docker Hub. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
  /** As it was written. */
  readonly original: string;
}

export const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_LEGACY = 'index.docker.io';
const OFFICIAL = 'library/';

/** Longest repository name with its registry that clients accept. */
const LONGEST_NAME = 255;
const LONGEST_TEXT = 1024;

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const IMAGE_ID = /^[0-9a-f]{64}$/;

/** The grammar that `parseReference` reads by, for those who must write the same down in another language. */
export const REFERENCE_GRAMMAR = {
  repository: REPOSITORY,
  tag: TAG,
  host: HOST,
  imageId: IMAGE_ID,
  longestName: LONGEST_NAME,
  longestText: LONGEST_TEXT,
} as const;

/** True for a repository name of the distribution specification ("Pulling manifests", `<name>`). */
export function isRepositoryName(text: string): boolean {
  return text.length <= LONGEST_NAME && REPOSITORY.test(text);
}

/** True for a tag of the distribution specification. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** True for a registry as written in references: host name, IPv4 or [IPv6], optional port. */
export function isRegistryHost(text: string): boolean {
  return text.length <= LONGEST_NAME && HOST.test(text);
}

/** True when the first element of a name is a registry and not the first part of a path on Docker Hub. */
export function looksLikeHost(element: string): boolean {
  return element === 'localhost' || /[.:A-Z]/.test(element);
}

/**
 * Lower case, and one name for Docker Hub. A host that only its upper case tells from a path keeps it: written small,
 * `Upper/app` would be an account on Docker Hub.
 */
export function normaliseRegistry(host: string): string {
  const lower = host.toLowerCase();
  if (!looksLikeHost(lower)) return host;
  return lower === DOCKER_HUB_LEGACY ? DOCKER_HUB : lower;
}

/** Puts `library/` before names of a single element on Docker Hub. */
export function normaliseRepository(registry: string, path: string): string {
  return registry === DOCKER_HUB && !path.includes('/') ? `${OFFICIAL}${path}` : path;
}

/**
 * Parses `[registry/]path[:tag][@digest]` (grammar of distribution/reference) and normalises it: `nginx` is
 * `docker.io/library/nginx`. Throws `ImageReferenceError` that says which part is wrong.
 */
export function parseReference(text: string): Reference {
  if (text === '') throw invalid(text, 'it is empty');
  if (text.length > LONGEST_TEXT) throw invalid(text, `it is longer than ${LONGEST_TEXT} characters`);
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : tryParseDigest(text.slice(at + 1));
  if (at >= 0 && digest === undefined) throw invalid(text, 'what follows "@" is not a sha256 or sha512 digest');

  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `"${tag}" is not a tag`);
  const name = colon < 0 ? named : named.slice(0, colon);

  const { registry, repository } = parseName(text, name);
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    original: text,
  };
}

/** Like `parseReference`, but undefined instead of an error. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof ImageReferenceError) return undefined;
    throw error;
  }
}

/** The full, normalised text: `docker.io/library/nginx:1.27@sha256:…`. Parsing it again gives the same reference. */
export function formatReference(reference: Omit<Reference, 'original'>): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

function parseName(text: string, name: string): Pick<Reference, 'registry' | 'repository'> {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = looksLikeHost(first);
  if (hasHost && !isRegistryHost(first)) throw invalid(text, `"${first}" is not a registry host`);
  if (!hasHost && IMAGE_ID.test(name)) {
    throw invalid(text, 'a name of 64 hexadecimal digits cannot be told from an image id');
  }
  const registry = hasHost ? normaliseRegistry(first) : DOCKER_HUB;
  const repository = normaliseRepository(registry, hasHost ? name.slice(slash + 1) : name);
  if (!REPOSITORY.test(repository)) {
    const reason = /[A-Z]/.test(repository) ? '; repository names are lower case' : '';
    throw invalid(text, `"${repository}" is not a repository name${reason}`);
  }
  if (registry.length + 1 + repository.length > LONGEST_NAME) {
    throw invalid(text, `registry and repository together are longer than ${LONGEST_NAME} characters`);
  }
  return { registry, repository };
}

function invalid(text: string, why: string): ImageReferenceError {
  const shown = text.length <= 140 ? text : `${text.slice(0, 137)}...`;
  return new ImageReferenceError(
    'reference_invalid',
    `${JSON.stringify(shown)} is not an image reference: ${shorten(why)}`,
  );
}

function shorten(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 297)}...`;
}
