import type { Digest } from '../oci/digest.ts';
import type { FindingStatus, FindingVex } from './finding.ts';
import type { Severity, SeverityStatement } from './severity.ts';

export type VerdictKind = 'allow' | 'warn' | 'block';

/** The rule behind a reason. The set is closed: every message, filter and metric speaks of these. */
export type Rule =
  | 'severity-fixable'
  | 'severity-unfixable'
  | 'kev'
  | 'epss'
  | 'unscannable'
  | 'unscanned'
  | 'end-of-life'
  | 'advisory-age'
  | 'advisory-sample'
  | 'disallowed-tag'
  | 'digest-required'
  | 'not-runnable'
  | 'platform'
  | 'quarantine';

/** One line of a verdict. `kind` is what this line alone asks for; the verdict is the worst of them. */
export interface Reason {
  readonly rule: Rule;
  readonly kind: VerdictKind;
  readonly severity: Severity;
  /** Source whose severity decided, e.g. `nvd`. */
  readonly severitySource?: string;
  /** What every source says, the decisive one among them. */
  readonly severities?: readonly SeverityStatement[];
  readonly vulnerability?: string;
  readonly aliases?: readonly string[];
  readonly package?: string;
  readonly installed?: string;
  readonly fixed?: string;
  /** The fix that is sold apart, where there is no other. */
  readonly subscriptionFix?: string;
  /** What the publisher says beyond "affected"; absent when it says no more. */
  readonly status?: FindingStatus;
  readonly kev?: boolean;
  readonly epss?: number;
  /** When this (vulnerability, package) was first seen in the repository; its clock may have started elsewhere before. Epoch ms. */
  readonly firstSeen?: number;
  /** Until then the line only warns (grace); epoch ms. */
  readonly deadline?: number;
  /** The score is below the threshold and counts until then all the same; epoch ms. */
  readonly heldUntil?: number;
  /** The exception that keeps this line from counting; the line is still listed. */
  readonly suppressedBy?: { readonly exception: string; readonly until: number };
  /** The VEX statement that keeps this line from counting; the line is still listed. */
  readonly vex?: FindingVex;
  /** One sentence for people. */
  readonly message: string;
  /** Where the fact comes from: a feed, the analyser, the policy. */
  readonly source: string;
}

/** A verdict without the identity of what it was computed from: all that there is to tell of it. */
export type ToldVerdict = Omit<Verdict, 'inputs'>;

/** Number of findings by severity, suppressed ones apart. */
export interface Counts {
  readonly total: number;
  readonly fixable: number;
  readonly suppressed: number;
  readonly bySeverity: Readonly<Record<Severity, number>>;
}

/** Identity of everything the verdict was computed from; two verdicts with equal inputs are equal. */
export interface VerdictInputs {
  readonly inventory: string;
  readonly advisories: string;
  readonly policy: number;
  readonly exceptions: string;
  readonly vex: string;
  readonly clocks: string;
  /** Quarantines that concern it; absent where none does. */
  readonly quarantine?: string;
}

/** What time alone makes of a verdict: from then on it is of another kind, for that reason. */
export interface LaterVerdict {
  /** Epoch ms. */
  readonly at: number;
  readonly kind: VerdictKind;
  /** One sentence without a line break. */
  readonly sentence: string;
}

/** Whom to ask about a verdict, and where to read on. */
export interface Contact {
  readonly text?: string;
  readonly link?: string;
}

/** The decision about one manifest in one repository: the single value every surface prints. */
export interface Verdict {
  readonly kind: VerdictKind;
  readonly subject: Digest;
  /** Worst first. */
  readonly reasons: readonly Reason[];
  readonly counts: Counts;
  readonly inputs: VerdictInputs;
  /** As the policy says; absent when it says nothing, and where nobody needs to ask. */
  readonly contact?: Contact;
  /** Epoch ms. */
  readonly judgedAt: number;
  /** The earliest moment at which time alone changes the verdict; absent when it never does. Epoch ms. */
  readonly changesAt?: number;
  /** The next changes of its kind by time alone, in their order; absent where none is foreseen. */
  readonly becomes?: readonly LaterVerdict[];
}
