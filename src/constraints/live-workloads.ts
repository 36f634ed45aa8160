import type { Digest } from '../oci/digest.ts';
import type { WorkloadImage } from './workload.ts';

/** A pod, or what makes pods, as it stands in the cluster: who it is, who owns it, which images it names. */
export interface LiveWorkload {
  readonly uid: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The owner that manages it, as its ownerReferences say; whether that one lives is another question. */
  readonly controller?: { readonly uid: string; readonly kind: string; readonly name: string };
  readonly images: readonly WorkloadImage[];
}

/** Everything in the cluster that runs pods, in memory. */
export interface LiveWorkloads {
  workload(uid: string): LiveWorkload | undefined;
  /** The last in the chain of living controllers; the workload itself when it has none. Undefined for an unknown uid. */
  topOf(uid: string): LiveWorkload | undefined;
  /** One sentence while this memory is missing or too old to be relied on. */
  problem(): string | undefined;
}

/** Which images ran, or were let in, for which owner. */
export interface RunHistory {
  /** When this owner was first seen with that image (and digest, where it is known), epoch ms. */
  firstSeen(ownerUid: string, image: string, digest: Digest | undefined): number | undefined;
  record(seen: {
    readonly ownerUid: string;
    readonly image: string;
    readonly digest?: Digest | undefined;
    readonly at: number;
  }): void;
}
