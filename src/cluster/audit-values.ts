import type { Digest } from '../oci/digest.ts';

/** One running object that breaks a constraint. */
export interface ClusterViolation {
  /** Absent from auditors that know one kind of constraint only. */
  readonly constraintKind?: string;
  readonly constraint: string;
  readonly action: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Empty for objects without a namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly image?: string;
  /** The bare message, uncut. */
  readonly message: string;
  /** It was created while no guard answered, so that nobody was asked. */
  readonly admittedWhileAway?: true;
}

/** One image that a pod of the cluster runs. */
export interface ClusterImage {
  readonly namespace: string;
  /** The owner at the top (Deployment, CronJob, …), or the pod itself. */
  readonly kind: string;
  readonly name: string;
  readonly container: string;
  readonly image: string;
  /** From the container's status; absent until the node has pulled it. */
  readonly digest?: Digest;
}

/** What one pass over a cluster found. Times in epoch ms. */
export interface ClusterAudit {
  readonly cluster: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly objects: number;
  readonly violations: readonly ClusterViolation[];
  readonly running: readonly ClusterImage[];
  /** Kinds that could not be listed, with the reason: the run is incomplete in these. */
  readonly incomplete: readonly { readonly kind: string; readonly reason: string }[];
  /** Violations and running images are those of the pass before, and that one was recorded. */
  readonly unchanged?: boolean;
}
