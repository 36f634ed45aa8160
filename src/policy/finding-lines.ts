import type { Finding, FindingVex } from '../model/finding.ts';
import type { Rule, VerdictKind } from '../model/verdict.ts';
import { type Clock, scoreFellAt } from './clocks.ts';
import type { EffectiveSeverity } from './effective-severity.ts';
import { lastsLongest } from './exception-match.ts';
import type { GrantedException } from './exceptions.ts';
import { type Grace, graceOf } from './grace.ts';
import type { Action, Policy } from './policy.ts';
import { daysOf, type Fixability, reaches } from './thresholds.ts';

/** A finding with everything about it that does not depend on the time. */
export interface WeighedFinding {
  readonly finding: Finding;
  readonly severity: EffectiveSeverity;
  /** Exceptions that speak of it, in force or not. */
  readonly exceptions: readonly GrantedException[];
  readonly clock: Clock;
}

/** What one rule asks for because of one finding. */
export interface FindingLine {
  readonly rule: Rule;
  readonly kind: VerdictKind;
  /** End of the grace period, over or not. */
  readonly deadline?: number;
  /** The score is below the threshold; it counts until then all the same. Epoch ms. */
  readonly heldUntil?: number;
  readonly suppressedBy?: { readonly exception: string; readonly until: number };
  readonly vex?: FindingVex;
}

/** The VEX statement that takes a finding out of the verdict; undefined when there is none or it says something else. */
export function dismissedBy({ vex }: Finding): FindingVex | undefined {
  return vex?.status === 'not_affected' || vex?.status === 'fixed' ? vex : undefined;
}

/** Everything the policy asks for because of a finding at a moment, exceptions and VEX aside; empty when it does not count. */
export function demandsAt(weighed: WeighedFinding, policy: Policy, now: number): FindingLine[] {
  return [
    severityLine(weighed, policy, now),
    weighed.finding.kev === undefined ? undefined : kevLine(weighed, policy, now),
    epssLine(weighed, policy, now),
  ].filter((line) => line !== undefined);
}

type Suppression = Pick<FindingLine, 'vex'> | Pick<FindingLine, 'suppressedBy'>;

/** Lines that are kept from counting: they stay listed, and ask for nothing. */
export function suppressed(lines: FindingLine[], suppression: Suppression | undefined): FindingLine[] {
  if (!suppression) return lines;
  return lines.map(({ deadline, heldUntil, ...line }) => ({
    ...line,
    ...('vex' in suppression || deadline === undefined ? {} : { deadline }),
    ...(heldUntil === undefined ? {} : { heldUntil }),
    ...suppression,
    kind: 'allow',
  }));
}

/** What keeps a finding from counting at a moment: a VEX statement, else an exception; undefined when nothing does. */
export function suppressionAt(
  { finding, exceptions }: WeighedFinding,
  policy: Policy,
  now: number,
): Suppression | undefined {
  const overrules = finding.kev === undefined ? NOTHING_OVERRULED : policy.kev.overrules;
  const vex = overrules.vex ? undefined : dismissedBy(finding);
  if (vex) return { vex };
  const exception = overrules.exceptions ? undefined : lastsLongest(exceptions, now);
  return exception && { suppressedBy: { exception: exception.id, until: exception.until } };
}

const NOTHING_OVERRULED: Policy['kev']['overrules'] = { exceptions: false, vex: false };

function severityLine({ finding, severity, clock }: WeighedFinding, policy: Policy, now: number) {
  if (!counts(finding, severity, policy)) return undefined;
  const fixability: Fixability = finding.fixed === undefined ? 'unfixable' : 'fixable';
  const rule: Rule = `severity-${fixability}`;
  if (!reaches(policy.block[fixability], severity.rank))
    return reaches(policy.warn[fixability], severity.rank) ? ({ rule, kind: 'warn' } as const) : undefined;
  return blockLine(rule, graceOf({ clock, fixability, rank: severity.rank }, policy, now), now);
}

function kevLine({ clock }: WeighedFinding, { kev }: Policy, now: number): FindingLine | undefined {
  if (kev.action !== 'block') return actionLine('kev', kev.action);
  return blockLine('kev', { since: clock.kev ?? now, lasts: daysOf(kev.graceDays) }, now);
}

/** A score that rises counts at once; one that falls counts for the days it is held. */
function epssLine({ finding, clock }: WeighedFinding, { epss }: Policy, now: number): FindingLine | undefined {
  if (epss.threshold === null) return undefined;
  if (finding.epss !== undefined && finding.epss.probability >= epss.threshold) return actionLine('epss', epss.action);
  const fell = scoreFellAt(clock, epss.threshold);
  const heldUntil = (fell ?? now) + daysOf(epss.holdDays);
  const line = fell !== undefined && now < heldUntil ? actionLine('epss', epss.action) : undefined;
  return line && { ...line, heldUntil };
}

/** Blocks from the end of the grace period on, and warns before. */
function blockLine(rule: Rule, { since, lasts }: Grace, now: number): FindingLine {
  if (lasts === 0) return { rule, kind: 'block' };
  const deadline = since + lasts;
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

function actionLine(rule: Rule, action: Action): FindingLine | undefined {
  return action === 'ignore' ? undefined : { rule, kind: action };
}
