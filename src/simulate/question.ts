import type { GrantedException } from '../policy/exceptions.ts';
import type { DraftPolicy } from '../projects/policy-preview.ts';

/** What is to be as if it were so. Plain values: it is sent to another thread. */
export interface Question {
  /** Id of the project that is looked at alone. */
  readonly projectId?: string;
  /** Another policy document, put in place now. */
  readonly policy?: DraftPolicy;
  readonly exceptions?: {
    /** Id of the project they are granted in; empty: in all. */
    readonly projectId: string;
    readonly granted: readonly GrantedException[];
    /** Ids of granted ones that are revoked. */
    readonly revoked: readonly string[];
  };
  /** Trusted entries that are retired, as they are kept. */
  readonly retired?: readonly string[];
  /** A verified file of advisories in the place of the current ones. */
  readonly advisories?: string;
  /** Epoch ms at which the verdicts are to hold; now unless told. */
  readonly at?: number;
  /** Epoch ms until which coming changes are listed. */
  readonly until?: number;
}
