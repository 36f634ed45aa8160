import type { Finding, FindingVex } from '../model/finding.ts';
import type { Rule, VerdictKind } from '../model/verdict.ts';
import type { EffectiveSeverity } from './effective-severity.ts';
import { lastsLongest } from './exception-match.ts';
import type { GrantedException } from './exceptions.ts';
import type { Action, Policy } from './policy.ts';
import { gracePeriod, reaches } from './thresholds.ts';

/** A finding with everything about it that does not depend on the time. */
export interface WeighedFinding {
  readonly finding: Finding;
  readonly severity: EffectiveSeverity;
  /** Exceptions that speak of it, in force or not. */
  readonly exceptions: readonly GrantedException[];
  /** Epoch ms. */
  readonly firstSeen: number;
}

/** What one rule asks for because of one finding. */
export interface FindingLine {
  readonly rule: Rule;
  readonly kind: VerdictKind;
  /** End of the grace period, over or not. */
  readonly deadline?: number;
  readonly suppressedBy?: { readonly exception: string; readonly until: number };
  readonly vex?: FindingVex;
}

/** The VEX statement that takes a finding out of the verdict; undefined when there is none or it says something else. */
export function dismissedBy({ vex }: Finding): FindingVex | undefined {
  return vex?.status === 'not_affected' || vex?.status === 'fixed' ? vex : undefined;
}

/** Everything the policy asks for because of a finding at a moment; empty when it does not count. */
export function linesAt(weighed: WeighedFinding, policy: Policy, now: number): FindingLine[] {
  const { finding } = weighed;
  const lines = [
    severityLine(weighed, policy, now),
    finding.kev === undefined ? undefined : actionLine('kev', policy.kev),
    isLikely(finding, policy) ? actionLine('epss', policy.epssAction) : undefined,
  ].filter((line) => line !== undefined);
  if (lines.length === 0) return lines;
  const vex = dismissedBy(finding);
  if (vex) return lines.map(({ deadline: _deadline, ...line }) => ({ ...line, kind: 'allow', vex }));
  const exception = lastsLongest(weighed.exceptions, now);
  if (!exception) return lines;
  const suppressedBy = { exception: exception.id, until: exception.until };
  return lines.map((line) => ({ ...line, kind: 'allow', suppressedBy }));
}

/** The first moment after `now` at which time alone makes this finding count otherwise; undefined when it never does. */
export function nextChangeOf(weighed: WeighedFinding, policy: Policy, now: number): number | undefined {
  const moments = [
    ...linesAt(weighed, policy, now).map((line) => line.deadline),
    ...weighed.exceptions.flatMap((exception) => [exception.from, exception.until]),
  ];
  const ahead = moments.filter((moment) => moment !== undefined).filter((moment) => moment > now);
  if (ahead.length === 0) return undefined;
  const before = stateAt(weighed, policy, now);
  return ahead.sort((a, b) => a - b).find((moment) => stateAt(weighed, policy, moment) !== before);
}

/** A finding that asks for nothing still changes the counts when it is excepted. */
function stateAt(weighed: WeighedFinding, policy: Policy, now: number): string {
  return JSON.stringify([lastsLongest(weighed.exceptions, now) !== undefined, linesAt(weighed, policy, now)]);
}

function severityLine({ finding, severity, firstSeen }: WeighedFinding, policy: Policy, now: number) {
  if ((policy.ignoreStatuses as readonly string[]).includes(finding.status)) return undefined;
  const fixability = finding.fixed === undefined ? 'unfixable' : 'fixable';
  const rule: Rule = `severity-${fixability}`;
  if (!reaches(policy.block[fixability], severity.rank))
    return reaches(policy.warn[fixability], severity.rank) ? ({ rule, kind: 'warn' } as const) : undefined;
  const grace = gracePeriod(policy, severity.rank);
  if (grace === 0) return { rule, kind: 'block' } as const;
  const deadline = firstSeen + grace;
  return { rule, kind: now < deadline ? 'warn' : 'block', deadline } as const;
}

function isLikely({ epss }: Finding, policy: Policy): boolean {
  return epss !== undefined && policy.epss !== null && epss.probability >= policy.epss;
}

function actionLine(rule: Rule, action: Action): FindingLine | undefined {
  return action === 'ignore' ? undefined : { rule, kind: action };
}
