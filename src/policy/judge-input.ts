import type { Coverage } from '../model/coverage.ts';
import type { Finding } from '../model/finding.ts';
import type { CoverageGap, Distribution } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import type { ClockReading, Clocks, FindingClocks } from './clocks.ts';
import type { GrantedException } from './exceptions.ts';
import type { Policy } from './policy.ts';
import type { ComingPolicy } from './policy-timeline.ts';

/** What judging needs to know of an inventory besides the findings. */
export interface InventoryFacts {
  /** Hash of the whole inventory, its identity. */
  readonly hash: string;
  /** False when a layer could not be read: the image is then unscannable. */
  readonly complete: boolean;
  readonly distribution?: Distribution;
  /** Number of packages of the distribution's own package manager; none in a known distribution means they are hidden. */
  readonly distributionPackages?: number;
  readonly gaps: readonly CoverageGap[];
}

/** Everything a verdict depends on. Two equal inputs give two equal verdicts. */
export interface JudgeInput {
  readonly subject: Digest;
  /** Full repository name, `front/alpine`; exceptions may be limited to some of a project. */
  readonly repository: string;
  /** `linux/arm64`; exceptions may be limited to one. Absent when it is not known. */
  readonly platform?: string | undefined;
  readonly inventory: InventoryFacts;
  readonly findings: readonly Finding[];
  readonly coverage: Coverage;
  readonly policy: Policy;
  /** Policies that are to count later, in the order of their moments. */
  readonly coming?: readonly ComingPolicy[];
  readonly policyVersion: number;
  /** All granted exceptions of the project, whatever their dates. */
  readonly exceptions: readonly GrantedException[];
  /** When vulnerabilities were first seen; one without a reading counts as first seen now. */
  readonly clocks: readonly ClockReading[] | Clocks | FindingClocks;
  /** The advisory database the findings come from; absent when there was none. `builtAt` in epoch ms. */
  readonly advisories?: { readonly version: string; readonly builtAt: number };
  /** Epoch ms. */
  readonly now: number;
}
