import type { ReferencePolicies } from '../policy/judge-reference.ts';

/** The kind of a verdict, or that the image is stored and not judged yet. */
export type KnownKind = 'allow' | 'warn' | 'block' | 'unjudged';

/** One stored image: its digest and `null` when it is gone, else its verdict's kind, since when (epoch ms), and why in one sentence. */
export type ImageLine =
  | readonly [digest: string, gone: null]
  | readonly [digest: string, kind: KnownKind]
  | readonly [digest: string, kind: KnownKind, since: number, sentence: string];

/** A change of kind that time alone brings: from `at` (epoch ms) on it is of that kind, for that reason. */
export type LaterStep = readonly [at: number, kind: 'allow' | 'warn' | 'block', sentence: string];

/** What becomes of an image by time alone, in the order of time. */
export type LaterLine = readonly [digest: string, steps: readonly LaterStep[]];

/** A tag and what it points at; `null` when it is gone. */
export type TagLine = readonly [tag: string, digest: string | null];

/** Content under quarantine, whichever registry it comes from: since when (epoch ms) and why; `null`: not any more. */
export type QuarantineLine =
  | readonly [digest: string, over: null]
  | readonly [digest: string, since: number, sentence: string];

export interface RepositoryFacts {
  /** Full name, `front/alpine`. */
  readonly name: string;
  /** What was known of a repository of this name counts no more; what else is in this page comes after. */
  readonly gone?: true | undefined;
  readonly tags: readonly TagLine[];
  readonly images: readonly ImageLine[];
  /** Of images in this page; those that are not named here stay as they are. */
  readonly later?: readonly LaterLine[] | undefined;
  /** Digests of those among `images` that are blocked because they are under quarantine. */
  readonly quarantined?: readonly string[] | undefined;
  /** Digests of those among `images` that nothing runs: how they are referred to does not matter. */
  readonly artifacts?: readonly string[] | undefined;
}

/** What the policy of these projects says of references, now and later; `null` when nothing. */
export interface ReferenceFacts {
  readonly projects: readonly string[];
  readonly policies: ReferencePolicies | null;
}

/** A mirror project: whose images it has, below which path. `place` is null when it is none any more. */
export interface UpstreamFacts {
  readonly project: string;
  readonly place: UpstreamPlace | null;
}

export interface UpstreamPlace {
  /** Normalised, `docker.io`. */
  readonly registry: string;
  /** Path below the registry without slashes around; empty for all of it. */
  readonly prefix: string;
}

/** A trusted entry, and whether it is one now. */
export type TrustLine = readonly [entry: string, trusted: boolean];

/**
 * Part of what is known here. Values are always those of now, never those of the change that led to them: applying a page again, or an
 * older one before, changes nothing in the end.
 */
export interface FactsPage {
  /** A full account begins with this page: what was known before counts until one is complete. */
  readonly reset?: true | undefined;
  /** False: the next page follows at once. */
  readonly complete: boolean;
  /** To go on from. */
  readonly cursor: string;
  /** Projects a full account is about. Given with `reset`. */
  readonly covers?: 'all' | readonly string[] | undefined;
  /** Hosts (with port) under which clients refer to this registry; the first is the one to print. */
  readonly hosts: readonly string[];
  readonly trusted: readonly TrustLine[];
  /** A full account has all of them in its first page. */
  readonly quarantined?: readonly QuarantineLine[] | undefined;
  readonly upstreams: readonly UpstreamFacts[];
  /** Absent where a server, or the one a snapshot was made of, does not tell it yet. */
  readonly references?: readonly ReferenceFacts[] | undefined;
  readonly repositories: readonly RepositoryFacts[];
}
