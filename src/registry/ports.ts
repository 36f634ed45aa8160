import type { Digest } from '../oci/digest.ts';
import type { ManifestKind } from '../oci/manifest.ts';
import type { ByteSource } from '../platform/streams.ts';

/** Who asks, as the registry needs to know it: the bearer token's subject and what it may do where. */
export interface Caller {
  /** User or robot name; empty for anonymous. */
  readonly name: string;
  /** The person who answers for a robot. */
  readonly person?: string;
  may(repository: string, action: 'pull' | 'push' | 'delete'): boolean;
  /** The account itself may push there, whatever the token at hand was asked for; absent: as `may` says. */
  mayEverPush?(repository: string): boolean;
  /** Holds the audited permission to pull what the gate refuses (scanner account, break-glass). */
  readonly bypassesGate: boolean;
}

/** Keeps one caller from taking all there is. Implemented by `auth`. */
export interface Limits {
  /** Takes one of what the caller may do in a minute; undefined: go on. */
  spend(
    budget: 'pulls' | 'writes',
    name: string,
    address: string,
  ): { readonly message: string; readonly retryAfterSeconds: number } | undefined;
}

export interface ManifestSubject {
  readonly repositoryId: string;
  /** Full name, `front/alpine`. */
  readonly repository: string;
  readonly digest: Digest;
  readonly kind: ManifestKind;
  /** Tag or digest it was asked for or stored under: messages name the image by it. */
  readonly reference?: string;
}

export type { ManifestKind } from '../oci/manifest.ts';

/** An entry of a referrers list. */
export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type GateDecision =
  /** `warnings` become `Warning: 299` headers, worst first. */
  | { readonly kind: 'serve'; readonly warnings: readonly string[] }
  | {
      readonly kind: 'refuse';
      /** Error code of the body, `PROJECTPOLICYVIOLATION`. The status is 412. */
      readonly code: string;
      readonly message: string;
      readonly retryAfterSeconds?: number;
      /** For a quarantine, which no permission overrides. */
      readonly quarantined?: true;
    };

/** Asked before a manifest is served. Reads local data only; fails closed. Implemented by `verdicts`. */
export interface PullGate {
  decide(subject: ManifestSubject, caller: Caller): Promise<GateDecision>;
}

/** Asked before a blob is sent. Reads local data only; fails closed. Implemented by `verdicts`. */
export interface BlobGate {
  /** `repository`: full name. A refusal carries no less than that of the manifest it is for. */
  decide(repository: string, digest: Digest, caller: Caller): Promise<GateDecision>;
}

/** What may neither come in nor go out, whoever asks. Local data only. Implemented by `quarantine`. */
export interface ContentQuarantine {
  /** Why content of one of these digests may not; undefined: it may. */
  refusalOf(contents: readonly Digest[]): Promise<{ readonly digest: string; readonly sentence: string } | undefined>;
}

/** Told what was stored, after it is durable and visible. Implemented by `verdicts`. */
export interface IngestObserver {
  /** A blob was committed, however it came. Must return quickly: analysis goes on in a worker. */
  blobCommitted(blob: { readonly digest: Digest; readonly size: number; readonly repositoryId: string }): void;
  /** A manifest was stored. Waits for the verdict within the budget; gives the warnings for the reply. */
  manifestStored(subject: ManifestSubject): Promise<{ readonly warnings: readonly string[] }>;
}

/** Told what is pulled, by a GET or by a HEAD of somebody who may not push there. Implemented by `retention`. */
export interface PullObserver {
  /** Must cost nothing: every pull waits for it. */
  pulled(repositoryId: string, digest: Digest): void;
}

/**
 * Content of mirror projects that may have to come from an upstream first. Implemented by `mirror`.
 * When the upstream cannot be asked and nothing stored may be served, methods throw `RegistryError('unavailable')`
 * (503; a `retry-after` header when known), never "not there".
 */
export interface MirrorSource {
  /**
   * The repository here that stands for a repository of another registry, which a client names by its host (`ns`); undefined
   * when nothing here mirrors it.
   */
  repositoryFor(namespace: string, repository: string): Promise<string | undefined>;
  /**
   * What refers to a manifest of a mirrored repository, as its upstream lists it, also where that is an index under the tag
   * of the old schema; undefined when the repository is no mirror.
   */
  referrers(repository: string, subject: Digest): Promise<readonly ReferrerDescriptor[] | undefined>;
  /** True when this repository belongs to a mirror project: pushes are refused, misses go to the upstream. */
  isMirrored(repository: string): Promise<boolean>;
  /**
   * Makes sure the manifest for a tag or digest is stored here and fresh enough; its content is then read as usual.
   * Gives the digest to serve, or undefined when the upstream says there is none. `stored`: the registry has just seen it here.
   */
  ensureManifest(
    repository: string,
    reference: string,
    stored: boolean,
  ): Promise<{ readonly digest: Digest; readonly warnings: readonly string[] } | undefined>;
  /** Opens a blob that is not stored here yet, streaming from upstream while it is being stored; undefined = not there. */
  openBlob(
    repository: string,
    digest: Digest,
  ): Promise<{ readonly size: number; readonly content: ByteSource } | undefined>;
}
