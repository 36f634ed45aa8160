import type { AuditedKind } from '../constraints/paths.ts';
import type { WorkloadImage } from '../constraints/workload.ts';
import type { Digest } from '../oci/digest.ts';

export type Labels = Readonly<Record<string, string>>;

/** What a pod's node reports about one container. */
export interface ReportedContainer {
  readonly name: string;
  /** Absent until the image is pulled, or when the node names a local image. */
  readonly digest?: Digest;
}

/** An owner as an object names it; shared by all objects that name the same. */
export interface HeldOwner {
  readonly uid: string;
  readonly kind: string;
  readonly name: string;
}

/**
 * A workload as the live cache keeps it: identity, what `match` looks at, and images. Everything that many objects have in
 * common (namespace, labels, images, owner, reported containers) is one shared value.
 */
export class HeldWorkload {
  readonly of: AuditedKind;
  uid = '';
  namespace = '';
  name = '';
  generateName = '';
  /** Epoch ms, second precision as the API server has it. */
  createdAt = 0;
  labels: Labels = NO_LABELS;
  /** Labels of the pods it makes; of a pod: none. */
  templateLabels: Labels = NO_LABELS;
  owner: HeldOwner | undefined = undefined;
  images: readonly WorkloadImage[] = NO_IMAGES;
  /** A ReplicaSet that is kept for going back runs nothing. */
  retired = false;
  phase = '';
  reported: readonly ReportedContainer[] = NOTHING_REPORTED;
  /** When its first container was started, epoch ms; 0 while none was. */
  runningSince = 0;
  /** Number of the list that it was in last. */
  seenIn = 0;

  constructor(of: AuditedKind) {
    this.of = of;
  }

  get apiVersion(): string {
    return this.of.apiVersion;
  }

  get kind(): string {
    return this.of.kind;
  }
}

export const NO_LABELS: Labels = Object.freeze({});
export const NO_IMAGES: readonly WorkloadImage[] = Object.freeze([]);
export const NOTHING_REPORTED: readonly ReportedContainer[] = Object.freeze([]);

/** True once all its containers have ended: then it runs nothing any more. */
export function hasEnded({ phase }: HeldWorkload): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** True when nothing that rules look at differs, so that it need not be judged anew. Shared values make this cheap. */
export function judgedAlike(a: HeldWorkload, b: HeldWorkload): boolean {
  return (
    a.images === b.images &&
    a.labels === b.labels &&
    a.templateLabels === b.templateLabels &&
    a.owner === b.owner &&
    a.retired === b.retired &&
    a.name === b.name &&
    a.namespace === b.namespace &&
    a.uid === b.uid
  );
}

/** True when it runs the same as before. */
export function runsAlike(a: HeldWorkload, b: HeldWorkload): boolean {
  return a.reported === b.reported && a.images === b.images && hasEnded(a) === hasEnded(b);
}
