import type { Role } from '../auth/permissions.ts';
import type { ImmutableTags } from '../policy/immutable-tags.ts';
import { UNLIMITED } from '../usage/quota.ts';
import { ProjectError } from './errors.ts';

export type Untagged = 'keep' | 'delete';

/** Bytes that a project may hold: a number, any number, or as the installation has it. */
export type Quota = number | 'unlimited' | 'default';

export interface Project {
  readonly id: string;
  readonly name: string;
  /** Anybody may pull and list. */
  readonly public: boolean;
  /** What garbage collection does with manifests that no tag, index or subject keeps. */
  readonly untagged: Untagged;
  readonly quota: Quota;
  readonly immutableTags: ImmutableTags;
  readonly createdBy: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Present for mirror projects; never with the password. */
  readonly upstream?: { readonly url: string; readonly username?: string; readonly freshnessSeconds: number };
}

/** Where a mirror project gets its images. */
export interface NewUpstream {
  /** http or https origin with an optional path prefix. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** A tag compared with the upstream this recently is served without asking; 300 unless told. */
  readonly freshnessSeconds?: number;
}

export interface NewProject {
  readonly name: string;
  readonly public?: boolean;
  readonly upstream?: NewUpstream;
}

export interface Member {
  readonly user: string;
  readonly role: Role;
}

/** An upstream as the mirror needs it, password in clear. */
export interface UpstreamAccess {
  readonly url: string;
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly freshnessSeconds: number;
}

const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const LONGEST_NAME = 255;
const LONGEST_URL = 1024;
const LONGEST_CREDENTIAL = 4096;
const FRESHNESS_SECONDS = 300;
const LONGEST_FRESHNESS_SECONDS = 30 * 86_400;

/** Throws `ProjectError('project_invalid')` for a name that cannot be the first element of repository names. */
export function checkProjectName(name: string): void {
  if (name.length > LONGEST_NAME || !NAME.test(name))
    throw new ProjectError(
      'project_invalid',
      `${JSON.stringify(name.slice(0, 120))} cannot be a project; use lower-case letters, digits and single . _ - between them, at most ${LONGEST_NAME}`,
    );
}

/** The quota as it is stored. Throws `ProjectError('quota_invalid')`. */
export function storedQuota(quota: Quota): number | null {
  if (quota === 'default') return null;
  if (quota === 'unlimited') return UNLIMITED;
  if (Number.isSafeInteger(quota) && quota >= 0) return quota;
  throw new ProjectError('quota_invalid', `${quota} is no quota; give whole bytes, unlimited or default`);
}

/** The stored quota as people read it. */
export function shownQuota(stored: number | null): Quota {
  if (stored === null) return 'default';
  return stored === UNLIMITED ? 'unlimited' : stored;
}

/** Checks the settings of an upstream and fills in defaults. Throws `ProjectError('upstream_invalid')`. */
export function checkUpstream(upstream: NewUpstream): NewUpstream & { readonly freshnessSeconds: number } {
  const { username, password, freshnessSeconds = FRESHNESS_SECONDS } = upstream;
  const url = upstream.url.length <= LONGEST_URL ? URL.parse(upstream.url) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.search || url.hash)
    throw invalid(
      `${JSON.stringify(upstream.url.slice(0, 200))} is no address of a registry; write it like https://registry-1.docker.io, credentials apart`,
    );
  if ((username === undefined) !== (password === undefined))
    throw invalid('an upstream needs user name and password, or neither');
  if ((username?.length ?? 0) > LONGEST_CREDENTIAL || (password?.length ?? 0) > LONGEST_CREDENTIAL)
    throw invalid(`user name and password of an upstream have at most ${LONGEST_CREDENTIAL} characters`);
  if (!Number.isInteger(freshnessSeconds) || freshnessSeconds < 0 || freshnessSeconds > LONGEST_FRESHNESS_SECONDS)
    throw invalid(`freshness must be whole seconds from 0 to ${LONGEST_FRESHNESS_SECONDS}`);
  return { ...upstream, url: url.href.replace(/\/+$/, ''), freshnessSeconds };
}

function invalid(message: string): ProjectError {
  return new ProjectError('upstream_invalid', message);
}
