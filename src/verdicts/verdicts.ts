import { z } from 'zod';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Db, Tx } from '../db/database.ts';
import type { DatabaseState } from '../db/unchanged.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Verdict } from '../model/verdict.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { normaliseRegistry, type Reference } from '../oci/reference.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { why } from '../policy/explain.ts';
import { withReference } from '../policy/judge-reference.ts';
import { findManifestInfo } from '../registry/manifest-reader.ts';
import type { BlobGate, IngestObserver, PullGate } from '../registry/ports.ts';
import { findRepository } from '../registry/repositories.ts';
import type { AdvisoryStore } from '../scanner/advisories/types.ts';
import { type AdvisoryChange, affectedInventories, noteUnchanged } from './advisory-change.ts';
import type { Apart } from './apart.ts';
import { createBlobGate } from './blob-gate.ts';
import type { BlockedPulls } from './blocked-pulls.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { createGate } from './gate.ts';
import { type HistoryQuery, type VerdictChange, verdictHistory } from './history.ts';
import { imageState } from './image-inventory.ts';
import { createIngest, JUDGE_JOB } from './ingest.ts';
import { createJudging, type ImageInput } from './judging.ts';
import { createLayerAnalyses } from './layer-analyses.ts';
import type {
  Cause,
  ExceptionSource,
  GateLedger,
  JobSink,
  LayerAnalyser,
  PolicySource,
  QuarantineSource,
  VexSource,
} from './ports.ts';
import { rejudge, rejudgeDigests, rejudgeInventories, rejudgeManifests, withRelatives } from './rejudge.ts';
import type { RejudgeResult } from './rejudge-result.ts';
import { enqueueRescan, RESCAN_JOB, type Rescanned, rescanJob } from './rescan.ts';
import { resumeJudging } from './resume.ts';
import { createSerial } from './serial.ts';
import { stackLayers } from './stack-layers.ts';
import { findSubject, type Subject } from './subjects.ts';
import { type ListedVerdict, listVerdicts, type VerdictQuery } from './verdict-list.ts';
import { markStale } from './verdict-store.ts';

const HOLD_MS = 30_000;

/** Everything verdicts rest on; `app` fits the pieces. */
export interface VerdictsDeps {
  readonly db: Db;
  readonly state: DatabaseState;
  readonly blobs: Pick<BlobStore, 'open' | 'localPath'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly analyser: LayerAnalyser;
  readonly advisories: Pick<AdvisoryStore, 'current'>;
  readonly policies: PolicySource;
  readonly exceptions: ExceptionSource;
  readonly vex: VexSource;
  readonly quarantines: QuarantineSource;
  readonly jobs: JobSink;
  readonly ledger: GateLedger;
  /** Told of pulls that are refused. */
  readonly blockedPulls?: Pick<BlockedPulls, 'refused'> | undefined;
  /** Hosts (with port) under which images of this registry are referred to. */
  readonly hosts: readonly string[];
  /** Computes in a process of its own when much is judged again; absent where nothing else can read the database. */
  readonly apart?: Apart | undefined;
  /** How long storing a manifest waits for its verdict. */
  readonly budgetMs: number;
  /** How long a pull waits for a first verdict; 30 s unless told. */
  readonly holdMs?: number;
}

/** What may be judged otherwise after a change of VEX: these manifests, or all of a project, or everything. */
interface VexChange {
  readonly projectId?: string;
  readonly digests?: readonly Digest[];
}

/** A stored verdict with what it is about. */
export interface JudgedImage {
  readonly repository: string;
  readonly digest: Digest;
  readonly verdict: Verdict;
  /** Why, in one sentence: the worst finding, its package, the fixed version. The decision is `verdict.kind`. */
  readonly sentence: string;
}

export interface Verdicts {
  readonly gate: PullGate;
  readonly blobGate: BlobGate;
  readonly ingest: IngestObserver;
  /** Handlers of the jobs put into the queue, by kind; `app` registers them with the worker loop. */
  readonly jobHandlers: ReadonlyMap<string, (payload: unknown) => Promise<void>>;
  /** Takes up what a stop left unjudged. Call once after the start. Gives the number of manifests. */
  resume(): Promise<number>;
  /** Puts an image, or all that could not be analysed, to be analysed and judged again. Gives the number of images; those in an index count each. */
  rescan(what: Rescanned): Promise<number>;
  /** The verdict the gate acts on now, by digest or by a tag of it; undefined when the repository has no such manifest or it is not judged yet. */
  verdictFor(repository: string, digest: Digest, tag?: string): Promise<Verdict | undefined>;
  /** The verdict on a reference to this registry, by tag or digest; undefined for other hosts and unknown images. */
  verdictByReference(reference: Reference): Promise<JudgedImage | undefined>;
  rejudgeAll(cause: Cause): Promise<RejudgeResult>;
  /** After a change of policy or exceptions. From the first moment on no pull is decided by an older verdict. */
  rejudgeProject(projectId: string, cause: Cause): Promise<RejudgeResult>;
  /** After a change of what is under quarantine that concerns these manifests, the indexes above them among them. From the first moment on no pull is decided by an older verdict. */
  onQuarantineChanged(manifests: readonly Digest[]): Promise<RejudgeResult>;
  /** Renews the verdicts that time has overtaken, so that changes are on record even when nobody pulls. */
  rejudgeDue(): Promise<RejudgeResult>;
  /**
   * After a new advisory database became current: renews the verdicts on inventories that hold a changed package, and notes
   * on the others that they hold for it too. `all` looks at everything.
   */
  onAdvisoriesChanged(change: AdvisoryChange | 'all'): Promise<RejudgeResult>;
  /** Marks the verdicts that a change of VEX touches, in its transaction; `onVexChanged` renews them. */
  markForVex(tx: Tx, change: VexChange): Promise<void>;
  /** After a change of VEX: renews what it touches. */
  onVexChanged(change: VexChange): Promise<RejudgeResult>;
  /** All that the verdict on an image is made from now; undefined until it is analysed. */
  inputOf(subject: Subject): Promise<Pick<ImageInput, 'input' | 'inventory'> | undefined>;
  /** Inventory of an image manifest; undefined until it is analysed. */
  inventoryOf(digest: Digest): Promise<Inventory | undefined>;
  /**
   * What an image of these stored layers, lowest first, would hold; from what is kept about each. Throws `VerdictError`
   * layer_absent, layer_unreadable.
   */
  stacked(layers: readonly { readonly digest: Digest; readonly size: number }[]): Promise<Inventory>;
  /**
   * All findings of an image manifest by the current advisories, counting or not, with the coverage of that answer. In a repository
   * they are marked with the VEX that counts there.
   */
  findingsOf(digest: Digest, repository?: string): Promise<Evaluation | undefined>;
  /** The verdicts on what is stored, by repository and digest, page by page. Those that time has overtaken are renewed first. */
  list(query: VerdictQuery): Promise<ListedVerdict[]>;
  history(query: HistoryQuery): Promise<VerdictChange[]>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

const judgePayload = z.object({ repositoryId: z.string(), digest: z.string() });

/** Keeps every stored image judged and answers what the verdicts are. */
export function createVerdicts(options: VerdictsDeps): Verdicts {
  const { db, clock, advisories, policies } = options;
  const judging = createJudging({ ...options, serial: createSerial() });
  const layers = createLayerAnalyses(options);
  const ingest = createIngest({ ...options, judging, layers });
  const deps = { ...options, judging, ingest, holdMs: options.holdMs ?? HOLD_MS };
  const hosts = new Set(options.hosts.map(normaliseRegistry));

  async function judgeJob(payload: unknown): Promise<void> {
    const { repositoryId, digest } = judgePayload.parse(payload);
    const subject = await findSubject(db, repositoryId, parseDigest(digest));
    if (subject) await ingest.process(subject);
  }

  async function verdictFor(repository: string, digest: Digest, tag?: string): Promise<Verdict | undefined> {
    const found = await findRepository(db, repository);
    const subject = found && (await findSubject(db, found.id, digest));
    const verdict = subject && (await judging.current(subject));
    if (!verdict || tag === undefined || subject.kind === 'artifact') return verdict;
    const effective = await policies.effectivePolicy(subject.projectId);
    return withReference(verdict, effective, { tag }, clock.now());
  }

  async function rejudgeAll(cause: Cause): Promise<RejudgeResult> {
    if (cause === 'exception') await markStale(db, cause);
    return rejudge(deps, cause);
  }

  async function inventoryOf(digest: Digest): Promise<Inventory | undefined> {
    const state = await imageState(db, digest);
    return state?.inventory === undefined ? undefined : judging.inventory(state.inventory);
  }

  async function findingsOf(digest: Digest, repository?: string): Promise<Evaluation | undefined> {
    const inventory = await inventoryOf(digest);
    const evaluation = inventory && evaluate(inventory, advisories.current());
    const found = repository === undefined ? undefined : await findRepository(db, repository);
    const subject = found && (await findSubject(db, found.id, digest));
    if (!evaluation || !subject) return evaluation;
    const { policy } = await policies.effectivePolicy(subject.projectId);
    const findings = await options.vex.mark(subject, evaluation.findings, inventory, policy.vexAuthors);
    return { ...evaluation, findings };
  }

  const gate = createGate(deps);
  return {
    gate,
    blobGate: createBlobGate({ ...deps, gate }),
    ingest: ingest.observer,
    jobHandlers: new Map([
      [JUDGE_JOB, judgeJob],
      [RESCAN_JOB, (payload) => rescanJob(deps, payload)],
    ]),
    resume: () => resumeJudging(deps),
    rescan: (what) => enqueueRescan(deps, what),
    verdictFor,
    async verdictByReference(reference) {
      if (!hosts.has(reference.registry)) return undefined;
      const { repository } = reference;
      const manifest = await findManifestInfo(db, repository, reference.digest ?? reference.tag ?? 'latest');
      const tag = reference.digest === undefined ? (reference.tag ?? 'latest') : undefined;
      const verdict = manifest && (await verdictFor(repository, manifest.digest, tag));
      return verdict && { repository, digest: manifest.digest, verdict, sentence: why(verdict) };
    },
    rejudgeAll,
    async rejudgeProject(projectId, cause) {
      await markStale(db, 'exception', { projectId });
      return rejudge(deps, cause, { projectId });
    },
    async onQuarantineChanged(manifests) {
      await markStale(db, 'quarantine', { digests: manifests });
      return rejudgeManifests(deps, manifests, 'quarantine');
    },
    rejudgeDue: () => rejudge(deps, 'time', { dueAt: clock.now() }),
    async onAdvisoriesChanged(change) {
      if (change === 'all' || change.previous === undefined) return rejudge(deps, 'advisories');
      const { previous, next } = change;
      const until = clock.now();
      const affected = await affectedInventories(db, change);
      const result = await rejudgeInventories(deps, [...affected], 'advisories');
      await noteUnchanged(db, policies, { previous, next, affected, until });
      return result;
    },
    async markForVex(tx, { digests, ...scope }) {
      await markStale(tx, 'vex', { ...scope, ...(digests && { digests: await withRelatives(tx, digests) }) });
    },
    async onVexChanged(change) {
      const { digests, ...scope } = change;
      return digests ? rejudgeDigests(deps, { ...scope, digests }, 'vex') : rejudge(deps, 'vex', scope);
    },
    inputOf: (subject) => judging.inputOf(subject),
    inventoryOf,
    async stacked(blobs) {
      const { inventory, partial } = await stackLayers({ ...options, layers }, blobs);
      return partial.length === 0 ? inventory : { ...inventory, complete: false };
    },
    findingsOf,
    async list(query) {
      const { projectId } = query;
      await rejudge(deps, 'time', { dueAt: clock.now(), ...(projectId === undefined ? {} : { projectId }) });
      return listVerdicts(db, query);
    },
    history: (query) => verdictHistory(db, query),
    close: () => ingest.idle(),
  };
}
