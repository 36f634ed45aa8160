import type { Digest } from '../oci/digest.ts';

/** One running object that breaks a constraint. */
export interface AuditViolation {
  readonly constraint: string;
  readonly action: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Empty for objects without a namespace. */
  readonly namespace: string;
  readonly name: string;
  /** The bare message, uncut. */
  readonly message: string;
}

/** One image that a pod of the cluster runs. */
export interface RunningImage {
  readonly namespace: string;
  /** The owner at the top (Deployment, CronJob, …), or the pod itself. */
  readonly kind: string;
  readonly name: string;
  readonly container: string;
  readonly image: string;
  /** From the container's status; absent until the node has pulled it. */
  readonly digest?: Digest;
}

/** Everything one pass over a cluster found. Times in epoch ms. */
export interface AuditRun {
  readonly cluster: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly objects: number;
  readonly violations: readonly AuditViolation[];
  readonly running: readonly RunningImage[];
  /** Kinds that could not be listed, with the reason: the run is incomplete in these. */
  readonly incomplete: readonly { readonly kind: string; readonly reason: string }[];
}

/** Keeps audit runs. Implemented by `cluster`. */
export interface AuditSink {
  recordAudit(run: AuditRun): Promise<void>;
}
