import type { Row } from '../db/schema.ts';
import { isPrintableText, PRINTABLE, reasonProblem } from '../platform/reason.ts';
import { TrustError } from './errors.ts';
import type { EntryScope } from './match/entry.ts';
import type { EntryProblem } from './match/lint.ts';
import { type Measured, measuredSchema } from './measured.ts';

/** Why somebody thinks that a source may be trusted. */
export interface RiskAnalysis {
  /** What was asked of it: who publishes, how it is built, signed, patched. */
  readonly criteria: string;
  /** What was found. */
  readonly findings: string;
  /** Who answers for it. */
  readonly owner: string;
  /** Epoch ms: by then somebody looks again. */
  readonly reviewDue: number;
}

/**
 * `review due` is an approved source whose date has passed: still trusted, and shown until somebody looks again. `lapsed` is one that
 * nobody looked at for longer than the installation allows: not trusted until somebody does.
 */
export type SourceState = 'proposed' | 'approved' | 'review due' | 'lapsed' | 'retired';

/** A set of registries, a project within one, or images, that may be run, with the analysis behind it. */
export interface TrustedSource extends RiskAnalysis {
  readonly id: string;
  readonly scope: EntryScope;
  /** Normalised text, `docker.io/library/nginx`. */
  readonly entry: string;
  readonly state: SourceState;
  readonly proposedBy: string;
  readonly proposedAt: number;
  /** The last decision: approval, review, or retirement. */
  readonly decidedBy?: string;
  readonly decidedAt?: number;
  readonly decisionReason?: string;
  readonly retiredAt?: number;
  /** What was known here when it was proposed or reviewed last. */
  readonly measured?: Measured;
  /** What is doubtful about the entry itself. */
  readonly problems: readonly EntryProblem[];
}

const LONGEST_TEXT = 8000;
const LONGEST_OWNER = 200;
const DAY = 86_400_000;
/** Days ahead that a review may lie, where the installation says nothing else. */
const MOST_REVIEW_DAYS = 3 * 366;

/** Throws `TrustError('source_invalid')` for an analysis that says nothing, or a review that is past or too far away. */
export function checkAnalysis(analysis: RiskAnalysis, now: number, mostDays?: number): void {
  const { criteria, findings, owner, reviewDue } = analysis;
  checkText('the criteria', criteria, LONGEST_TEXT);
  checkText('the findings', findings, LONGEST_TEXT);
  checkText('the owner', owner, LONGEST_OWNER);
  if (!PRINTABLE.test(owner)) throw new TrustError('source_invalid', 'write the owner in one line of printable text');
  checkReviewDue(reviewDue, now, mostDays);
}

export function checkReviewDue(reviewDue: number, now: number, mostDays = MOST_REVIEW_DAYS): void {
  if (!Number.isSafeInteger(reviewDue) || reviewDue <= now || reviewDue > now + mostDays * DAY)
    throw new TrustError('source_invalid', `the review must be due in the future, within ${mostDays} days`);
}

/** Throws `TrustError('source_invalid')` for a text that says nothing, is too long, or shows something other than it says. */
export function checkText(what: string, text: string, longest = LONGEST_TEXT): void {
  if (text.trim() === '')
    throw new TrustError('source_invalid', `${what} must not be empty: say why this can be trusted`);
  if (text.length > longest) throw new TrustError('source_invalid', `${what} must have at most ${longest} characters`);
  if (!isPrintableText(text))
    throw new TrustError(
      'source_invalid',
      `write ${what} in printable text: lines end with \\n, without other control characters`,
    );
}

/** The reason of a decision. Throws `TrustError('source_invalid')`. */
export function checkReason(text: string): void {
  const problem = reasonProblem(text, LONGEST_TEXT);
  if (problem !== undefined) throw new TrustError('source_invalid', `a decision needs a reason: ${problem}`);
}

export function toSource(row: Row<'trusted_sources'>, now: number, problems: readonly EntryProblem[]): TrustedSource {
  return {
    id: row.id,
    scope: row.scope as EntryScope,
    entry: row.entry,
    state: row.state === 'approved' && row.review_due <= now ? 'review due' : (row.state as SourceState),
    criteria: row.criteria,
    findings: row.findings,
    owner: row.owner,
    reviewDue: row.review_due,
    proposedBy: row.proposed_by,
    proposedAt: row.proposed_at,
    ...(row.decided_by === null ? {} : { decidedBy: row.decided_by }),
    ...(row.decided_at === null ? {} : { decidedAt: row.decided_at }),
    ...(row.decision_reason === null ? {} : { decisionReason: row.decision_reason }),
    ...(row.retired_at === null ? {} : { retiredAt: row.retired_at }),
    ...(row.measured === null ? {} : { measured: measuredSchema.parse(JSON.parse(row.measured)) }),
    problems,
  };
}
