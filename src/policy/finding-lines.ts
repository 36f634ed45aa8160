import type { Finding, FindingVex } from '../model/finding.ts';
import type { Rule, VerdictKind } from '../model/verdict.ts';
import type { EffectiveSeverity } from './effective-severity.ts';
import { lastsLongest } from './exception-match.ts';
import type { GrantedException } from './exceptions.ts';
import type { Action, Policy } from './policy.ts';
import { daysOf, type Fixability, gracePeriod, reaches } from './thresholds.ts';

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
    finding.kev === undefined ? undefined : kevLine(weighed, policy, now),
    isLikely(finding, policy) ? actionLine('epss', policy.epss.action) : undefined,
  ].filter((line) => line !== undefined);
  const suppression = suppressionAt(weighed, policy, now);
  if (!suppression) return lines;
  return lines.map(({ deadline, ...line }) => ({
    ...line,
    ...('vex' in suppression || deadline === undefined ? {} : { deadline }),
    ...suppression,
    kind: 'allow',
  }));
}

/** What keeps a finding from counting at a moment: a VEX statement, else an exception; undefined when nothing does. */
export function suppressionAt(
  { finding, exceptions }: WeighedFinding,
  policy: Policy,
  now: number,
): Pick<FindingLine, 'vex'> | Pick<FindingLine, 'suppressedBy'> | undefined {
  const overrules = finding.kev === undefined ? NOTHING_OVERRULED : policy.kev.overrules;
  const vex = overrules.vex ? undefined : dismissedBy(finding);
  if (vex) return { vex };
  const exception = overrules.exceptions ? undefined : lastsLongest(exceptions, now);
  return exception && { suppressedBy: { exception: exception.id, until: exception.until } };
}

const NOTHING_OVERRULED: Policy['kev']['overrules'] = { exceptions: false, vex: false };

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
  return JSON.stringify([suppressionAt(weighed, policy, now) !== undefined, linesAt(weighed, policy, now)]);
}

function severityLine({ finding, severity, firstSeen }: WeighedFinding, policy: Policy, now: number) {
  if (!counts(finding, severity, policy)) return undefined;
  const fixability: Fixability = finding.fixed === undefined ? 'unfixable' : 'fixable';
  const rule: Rule = `severity-${fixability}`;
  if (!reaches(policy.block[fixability], severity.rank))
    return reaches(policy.warn[fixability], severity.rank) ? ({ rule, kind: 'warn' } as const) : undefined;
  return blockLine(rule, firstSeen, gracePeriod(policy, fixability, severity.rank), now);
}

function kevLine({ firstSeen }: WeighedFinding, { kev }: Policy, now: number): FindingLine | undefined {
  return kev.action === 'block'
    ? blockLine('kev', firstSeen, daysOf(kev.graceDays), now)
    : actionLine('kev', kev.action);
}

/** Blocks from the end of the grace period on, and warns before. */
function blockLine(rule: Rule, since: number, grace: number, now: number): FindingLine {
  if (grace === 0) return { rule, kind: 'block' };
  const deadline = since + grace;
  return { rule, kind: now < deadline ? 'warn' : 'block', deadline };
}

const SWITCHES: Readonly<Partial<Record<Finding['status'], keyof Policy['counting']>>> = {
  will_not_fix: 'willNotFix',
  fix_deferred: 'fixDeferred',
  under_investigation: 'underInvestigation',
  end_of_life: 'endOfLife',
};

/** Whether a finding counts towards the thresholds at all. */
function counts({ status, kernelHeaders }: Finding, { unimportant }: EffectiveSeverity, { counting }: Policy): boolean {
  const name = SWITCHES[status];
  return !(
    (name !== undefined && counting[name] === 'ignore') ||
    (unimportant && counting.unimportant === 'ignore') ||
    (kernelHeaders && counting.kernelHeaders === 'ignore')
  );
}

function isLikely({ epss }: Finding, policy: Policy): boolean {
  return epss !== undefined && policy.epss.threshold !== null && epss.probability >= policy.epss.threshold;
}

function actionLine(rule: Rule, action: Action): FindingLine | undefined {
  return action === 'ignore' ? undefined : { rule, kind: action };
}
