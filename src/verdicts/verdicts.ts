import type { BlobStore } from '../blobs/blob-store.ts';
import type { Db } from '../db/database.ts';
import type { Coverage } from '../model/coverage.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Verdict, VerdictKind } from '../model/verdict.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { IngestObserver, PullGate } from '../registry/ports.ts';
import type { AdvisoryKey, AdvisoryStore } from '../scanner/advisories/types.ts';
import type { Cause, ExceptionSource, GateLedger, JobSink, LayerAnalyser, PolicySource } from './ports.ts';

/** Everything verdicts rest on; `app` fits the pieces. */
export interface VerdictsDeps<Evidence = unknown> {
  readonly db: Db;
  readonly blobs: Pick<BlobStore, 'open' | 'localPath'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly analyser: LayerAnalyser<Evidence>;
  readonly advisories: Pick<AdvisoryStore, 'current'>;
  readonly policies: PolicySource;
  readonly exceptions: ExceptionSource;
  readonly jobs: JobSink;
  readonly ledger: GateLedger;
  /** Hosts (with port) under which images of this registry are referred to. */
  readonly hosts: readonly string[];
  /** How long storing a manifest waits for its verdict. */
  readonly budgetMs: number;
  /** How long a pull waits for a first verdict; 30 s unless told. */
  readonly holdMs?: number;
}

/** A verdict that differs from the one before in its kind or in its set of reasons. */
export interface VerdictChange {
  readonly id: number;
  readonly repository: string;
  readonly digest: Digest;
  readonly previous?: VerdictKind;
  readonly kind: VerdictKind;
  readonly cause: Cause;
  readonly verdict: Verdict;
  /** Epoch ms. */
  readonly at: number;
}

/** What looking at stored verdicts again came to. */
export interface RejudgeResult {
  readonly judged: number;
  readonly changed: number;
  /** Among the changed: now block, and now no longer block. */
  readonly blocked: number;
  readonly released: number;
}

/** A stored verdict with what it is about. */
export interface JudgedImage {
  readonly repository: string;
  readonly digest: Digest;
  readonly verdict: Verdict;
  /** One sentence: the worst finding, its package, the fixed version. */
  readonly sentence: string;
}

export interface Verdicts {
  readonly gate: PullGate;
  readonly ingest: IngestObserver;
  /** Handlers of the jobs put into the queue, by kind; `app` registers them with the worker loop. */
  readonly jobHandlers: ReadonlyMap<string, (payload: unknown) => Promise<void>>;
  /** Takes up what a stop left unjudged. Call once after the start. Gives the number of manifests. */
  resume(): Promise<number>;
  /** The verdict the gate would act on now; undefined when the repository has no such manifest or it is not judged yet. */
  verdictFor(repository: string, digest: Digest): Promise<Verdict | undefined>;
  /** The verdict on a reference to this registry, by tag or digest; undefined for other hosts and unknown images. */
  verdictByReference(reference: Reference): Promise<JudgedImage | undefined>;
  rejudgeAll(cause: Cause): Promise<RejudgeResult>;
  rejudgeProject(projectId: string, cause: Cause): Promise<RejudgeResult>;
  /** After a new advisory database became current: looks again at the inventories that hold one of the packages. */
  onAdvisoriesChanged(changed: Iterable<AdvisoryKey> | 'all'): Promise<RejudgeResult>;
  /** Inventory of an image manifest; undefined until it is analysed. */
  inventoryOf(digest: Digest): Promise<Inventory | undefined>;
  /** All findings of an image manifest by the current advisories, counting or not, with the coverage of that answer. */
  findingsOf(
    digest: Digest,
  ): Promise<{ readonly findings: readonly Finding[]; readonly coverage: Coverage } | undefined>;
  /** Changes of verdicts, newest first, older than `before` (an id); at most `limit`. */
  history(query: {
    readonly repository?: string;
    readonly digest?: Digest;
    readonly before?: number;
    readonly limit: number;
  }): Promise<VerdictChange[]>;
  /** Waits for what is under way and starts nothing more. */
  close(): Promise<void>;
}

/** Keeps every stored image judged and answers what the verdicts are. */
export function createVerdicts<Evidence>(deps: VerdictsDeps<Evidence>): Verdicts {
  throw new Error(`not yet: ${deps.hosts.length}`);
}
