import { type Digest, tryParseDigest } from '../../oci/digest.ts';
import {
  DOCKER_HUB,
  isRegistryHost,
  isRepositoryName,
  isTag,
  looksLikeHost,
  normaliseRegistry,
  normaliseRepository,
} from '../../oci/reference.ts';
import { CodedError } from '../../platform/errors.ts';

export class TrustEntryError extends CodedError<'entry_invalid'> {}

export type EntryScope = 'registry' | 'project' | 'repository' | 'tag' | 'digest';

/** What one line of the trusted set stands for, normalised. */
export interface TrustEntry {
  readonly scope: EntryScope;
  readonly registry: string;
  /** Path this entry stands for; absent for a whole registry. */
  readonly path?: string;
  /** Written with `/` at the end: only what lies below the path, not a repository of exactly that name. */
  readonly onlyBelow: boolean;
  readonly tag?: string;
  readonly digest?: Digest;
  /** As it was written. */
  readonly text: string;
}

const LONGEST_ENTRY = 512;
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const PORT = /^[0-9]{1,5}$/;

/**
 * Reads one trusted entry: `harbor.example.com[:port]`, `harbor.example.com/project`, `…/project/image`,
 * `image:tag` or `image@sha256:…`; without a registry it speaks of Docker Hub. Throws `TrustEntryError`.
 */
export function parseEntry(text: string): TrustEntry {
  if (text.trim() === '') throw invalid(text, 'it is empty and would trust everything');
  if (text.length > LONGEST_ENTRY) throw invalid(text, `it is longer than ${LONGEST_ENTRY} characters`);
  if (SCHEME.test(text)) throw invalid(text, 'write the registry without a scheme such as https://');
  if (text.includes('*')) throw invalid(text, 'wildcards are not known here; name the registry or the path');
  const slash = text.indexOf('/');
  if (slash < 0) return isBareHost(text) ? registryEntry(text, text) : imageEntry(text, DOCKER_HUB, text);
  const first = text.slice(0, slash);
  if (!looksLikeHost(first)) return imageEntry(text, DOCKER_HUB, text);
  const rest = text.slice(slash + 1);
  return rest === '' ? registryEntry(text, first) : imageEntry(text, hostOf(text, first), rest);
}

/** `localhost:5000` and `a.example:5000` are registries; `nginx:1` is an image with a tag. */
function isBareHost(text: string): boolean {
  if (text.includes('@')) return false;
  const colon = text.startsWith('[') ? text.indexOf(':', text.indexOf(']') + 1) : text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  return (looksLikeHost(name) || name.startsWith('[')) && (colon < 0 || PORT.test(text.slice(colon + 1)));
}

function registryEntry(text: string, host: string): TrustEntry {
  return { scope: 'registry', registry: hostOf(text, host), onlyBelow: false, text };
}

function imageEntry(text: string, registry: string, rest: string): TrustEntry {
  const at = rest.indexOf('@');
  const named = at < 0 ? rest : rest.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const written = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `"${tag.slice(0, 140)}" is not a tag`);
  const base = { registry, onlyBelow: false, text };
  if (at >= 0) {
    const digest = tryParseDigest(rest.slice(at + 1));
    if (digest === undefined) throw invalid(text, 'what follows "@" is not a sha256 or sha512 digest');
    return { ...base, scope: 'digest', path: repositoryPath(text, registry, written), digest };
  }
  if (tag !== undefined) return { ...base, scope: 'tag', path: repositoryPath(text, registry, written), tag };
  return pathEntry(text, registry, written);
}

/** On Docker Hub `docker.io/name` and `name/` are the account, plain `name` is the official image. */
function pathEntry(text: string, registry: string, written: string): TrustEntry {
  const onlyBelow = written.endsWith('/');
  const path = onlyBelow ? written.slice(0, -1) : written;
  if (!isRepositoryName(path)) throw invalid(text, `"${path.slice(0, 140)}" is not a repository name`);
  if (!onlyBelow && path === text) {
    return { scope: 'repository', registry, path: normaliseRepository(registry, path), onlyBelow, text };
  }
  const scope = path.includes('/') && !onlyBelow ? 'repository' : 'project';
  return { scope, registry, path, onlyBelow, text };
}

function repositoryPath(text: string, registry: string, path: string): string {
  if (!isRepositoryName(path)) throw invalid(text, `"${path.slice(0, 140)}" is not a repository name`);
  return normaliseRepository(registry, path);
}

function hostOf(text: string, host: string): string {
  if (!isRegistryHost(host)) throw invalid(text, `"${host.slice(0, 140)}" is not a registry host`);
  return normaliseRegistry(host);
}

function invalid(text: string, why: string): TrustEntryError {
  const shown = text.length <= 140 ? text : `${text.slice(0, 137)}...`;
  return new TrustEntryError('entry_invalid', `${JSON.stringify(shown)} cannot be trusted: ${why}`);
}
