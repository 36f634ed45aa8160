import type { Principal } from '../auth/principal.ts';
import type { Tx } from '../db/database.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import type { Justification } from '../policy/exceptions.ts';

/** What may be judged otherwise after something about VEX changed: these images, or all of a project, or everything. */
export interface VexChange {
  readonly projectId?: string;
  /** Manifests and indexes; absent: all. */
  readonly digests?: readonly Digest[];
}

/** Keeps verdicts in step. Implemented by `verdicts`. */
export interface Rejudging {
  /** Marks the verdicts, in the transaction of the change: from its end on nothing is decided by them. */
  mark(tx: Tx, change: VexChange): Promise<void>;
  /** Puts new verdicts in the places of the marked ones. */
  renew(change: VexChange): Promise<unknown>;
}

/** What is known of a stored image. Implemented by `verdicts`. */
export interface ImageKnowledge {
  inventoryOf(digest: Digest): Promise<Inventory | undefined>;
  findingsOf(digest: Digest): Promise<{ readonly findings: readonly Finding[] } | undefined>;
}

/** Asks for exceptions. Implemented by `exceptions`. */
export interface Requests {
  /** The furthest end that a request may have. Epoch ms. */
  furthestEnd(projectId: string, vulnerability: string): Promise<number>;
  request(
    by: Principal,
    project: { readonly id: string; readonly name: string },
    wanted: {
      readonly vulnerability: string;
      readonly kind?: 'not-affected';
      readonly justification?: Justification;
      readonly package?: string;
      readonly version?: string;
      readonly repository?: string;
      readonly digest?: string;
      readonly reason: string;
      readonly until: number;
    },
  ): Promise<{ readonly id: string }>;
}

/** An image in a repository. */
export interface VexPlace {
  readonly repositoryId: string;
  /** Full name. */
  readonly repository: string;
  readonly projectId: string;
  readonly digest: Digest;
}
