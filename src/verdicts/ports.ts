import type { Actor } from '../ledger/chain.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import type { ByteSource } from '../platform/streams.ts';
import type { GrantedException } from '../policy/exceptions.ts';
import type { Policy } from '../policy/policy.ts';
import type { ComingPolicy } from '../policy/policy-timeline.ts';
import type { QuarantineHit } from '../policy/quarantine.ts';
import type { EvidenceOfLayer } from '../scanner/analyser.ts';
import type { PackedEvidence } from '../scanner/packed-evidence.ts';

/** What layers say about an image, read once per layer. Implemented over `scanner`. */
export interface LayerAnalyser {
  /** Name and version: a result is used again only by the very analyser that made it. */
  readonly version: string;
  /**
   * Reads one layer, in a worker. Blobs that are no layers give trivial evidence at once; damaged or oversized ones give
   * evidence that says so. Rejects only when the bytes could not be had. `complete` is true when the evidence covers a whole
   * layer; false also for a blob that is no layer at all.
   */
  analyse(blob: LayerBlob): Promise<PackedEvidence>;
  /** Puts layers, lowest first, on top of each other. */
  compose(layers: readonly EvidenceOfLayer[]): Promise<Inventory>;
  /** Identity of an inventory: equal for equal ones. */
  hashOf(inventory: Inventory): string;
}

export interface LayerBlob {
  readonly digest: Digest;
  readonly size: number;
  /** Opens the content; each call a new stream. */
  open(): Promise<ByteSource>;
  /** Where the content is as a file of this machine, if it is one. */
  readonly path?: string;
}

/** Effective policy of projects. Implemented by `projects`. */
export interface PolicySource {
  /** What counts for a project now, and what is to come. `version` differs whenever any of it was changed. */
  effectivePolicy(projectId: string): Promise<{
    readonly policy: Policy;
    readonly coming?: readonly ComingPolicy[];
    readonly version: number;
  }>;
}

/** Exceptions in force or still to come. Implemented by `exceptions`. */
export interface ExceptionSource {
  /** Every exception granted and not revoked for a project, expired ones included or not. */
  granted(projectId: string): Promise<readonly GrantedException[]>;
}

/** What declared authors of VEX say of stored images. Implemented by `vex`. */
export interface VexSource {
  /** The same findings, marked where a statement counts. `order`: authors as the policy has them. */
  mark(
    place: {
      readonly repositoryId: string;
      readonly repository: string;
      readonly projectId: string;
      readonly digest: Digest;
    },
    findings: readonly Finding[],
    inventory: Inventory,
    order: readonly string[],
  ): Promise<readonly Finding[]>;
}

/** What may run nowhere. Implemented by `quarantine`. */
export interface QuarantineSource {
  /** A text that is another one after every change of what is under quarantine. */
  revision(): Promise<string>;
  /** True while any package is: what was not looked into may then hold it. */
  concernsPackages(): Promise<boolean>;
  /** Quarantines of these manifests by digest: of themselves, of their blobs, and of packages found in them. */
  hitsOf(
    manifests: readonly { readonly repositoryId: string; readonly digest: Digest }[],
  ): Promise<ReadonlyMap<string, readonly QuarantineHit[]>>;
}

/** Durable work. Implemented by `jobs`; two jobs of the same kind and key are one until it has run. */
export interface JobSink {
  enqueue(job: { readonly kind: string; readonly key: string; readonly payload: unknown }): Promise<void>;
}

/** The audit log, as far as the gate writes to it. Implemented by `ledger`. */
export interface GateLedger {
  record(entry: {
    readonly actor: Actor;
    readonly action: string;
    readonly target: string;
    readonly project?: string;
    readonly details: Readonly<Record<string, unknown>>;
  }): Promise<void>;
}

/** Why verdicts were looked at again. */
export type Cause = 'push' | 'advisories' | 'policy' | 'exception' | 'vex' | 'quarantine' | 'time' | 'analyser';
