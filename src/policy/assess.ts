import type { Finding } from '../model/finding.ts';
import type { Distribution } from '../model/inventory.ts';
import type { Reason, VerdictKind } from '../model/verdict.ts';
import { AssessedRun, applies } from './assessed-run.ts';
import { type Assessment, holdsAt } from './assessment.ts';
import { type Clock, type FindingClock, sameClock } from './clocks.ts';
import type { Countable } from './counts.ts';
import { type EffectiveSeverity, effectiveSeverity } from './effective-severity.ts';
import { endedByFix } from './exception-match.ts';
import type { GrantedException } from './exceptions.ts';
import { type FindingLine, suppressionAt, type WeighedFinding } from './finding-lines.ts';
import { reasonOf } from './finding-reasons.ts';
import type { FindingRun } from './finding-runs.ts';
import { isSteady } from './grace.ts';
import type { JudgeInput } from './judge-input.ts';
import type { Policy } from './policy.ts';
import {
  type ComingPolicy,
  type ComingWeight,
  countingAt,
  type Foreseen,
  linesThrough,
  nextChangeOf,
} from './policy-timeline.ts';
import { worstKind } from './reason-order.ts';

/** What is known of findings and of runs of them under a policy and those to come. */
interface Known {
  readonly findings: Map<Finding, KnownFinding>;
  /** Assessments of several moments by the same clocks. */
  readonly runs: Map<FindingRun, AssessedRun[]>;
}

/** What is known of a finding under a policy and those to come: severities, and its assessments of several moments by one clock. */
interface KnownFinding {
  readonly severity: EffectiveSeverity;
  readonly coming: readonly ComingWeight[];
  readonly assessed: Assessment[];
}

/**
 * Assessments kept for other images that hold the very same finding, and for other moments. They are used only where the policy,
 * the distribution and the clock are equal, nothing is excepted and no time has come, so that what they give is what assessing
 * anew would give.
 */
export type Assessments = Map<string, Known>;

/** Policies and distributions whose assessments are kept, findings and runs of each, and moments of each of those. */
const KEPT_CONTEXTS = 100;
const KEPT_FINDINGS = 50_000;
const KEPT_RUNS = 10_000;
const KEPT_MOMENTS = 4;

/** A run of findings of one image. */
interface AssessedInImage {
  /** Of each of the findings. */
  readonly clocks: readonly FindingClock[];
  /** Those that speak of each of the findings, whatever the time; absent where none does of any. */
  readonly exceptions?: readonly (readonly GrantedException[])[] | undefined;
}

/** Assesses a run of findings of one image at a moment (epoch ms). */
export type Assessor = (run: FindingRun, inImage: AssessedInImage, now: number) => AssessedRun;

/** Assesses the findings of one image. */
export function createAssessor(
  { policy, coming = [], inventory }: Pick<JudgeInput, 'policy' | 'coming' | 'inventory'>,
  kept: Assessments,
): Assessor {
  const { distribution } = inventory;
  const known = knownIn(kept, policy, coming, distribution);

  function look(finding: Finding): KnownFinding {
    const severity = effectiveSeverity(finding, distribution, policy);
    const weights = coming.map((next) => ({
      ...next,
      severity: effectiveSeverity(finding, distribution, next.policy),
    }));
    const found = { severity, coming: weights, assessed: [] };
    if (known.findings.size >= KEPT_FINDINGS) known.findings.clear();
    known.findings.set(finding, found);
    return found;
  }

  function assessFinding(
    finding: Finding,
    exceptions: readonly GrantedException[],
    clock: Clock,
    now: number,
  ): Assessment {
    const { severity, coming: weights, assessed } = known.findings.get(finding) ?? look(finding);
    if (exceptions.length === 0)
      for (const before of assessed)
        if (before.quiet || (sameClock(before.clock, clock) && holdsAt(before, now))) return before;
    const made = assess({ weighed: { finding, severity, exceptions, clock }, policy, coming: weights }, now);
    if (exceptions.length > 0) return made;
    const [first] = assessed;
    if (first && !sameClock(first.clock, clock)) assessed.length = 0;
    keepMoment(assessed, made);
    return made;
  }

  function assessRun(run: FindingRun, { clocks, exceptions }: AssessedInImage, now: number): AssessedRun {
    const assessed: Assessment[] = [];
    for (const [at, finding] of run.entries()) {
      const clock = clocks[at]?.clock;
      if (clock !== undefined && applies(finding))
        assessed.push(assessFinding(finding, endedByFixes(exceptions?.[at], finding, clock, now), clock, now));
    }
    return new AssessedRun(run, clocks, { assessed, now });
  }

  return (run, inImage, now) => {
    if (inImage.exceptions) return assessRun(run, inImage, now);
    const before = known.runs.get(run) ?? [];
    for (const one of before) if (haveSameClocks(one, inImage) && holdsAt(one, now)) return one;
    const quiet = before.find((one) => one.quiet);
    const made = quiet
      ? new AssessedRun(run, inImage.clocks, { assessed: quiet.assessed, now })
      : assessRun(run, inImage, now);
    const [first] = before;
    if (!first && known.runs.size >= KEPT_RUNS) known.runs.clear();
    if (first && !haveSameClocks(first, inImage)) before.length = 0;
    keepMoment(before, made);
    known.runs.set(run, before);
    return made;
  };
}

function haveSameClocks(a: Pick<AssessedRun, 'clocks'>, b: Pick<AssessedRun, 'clocks'>): boolean {
  return a.clocks === b.clocks || a.clocks.every(({ clock }, at) => clock === b.clocks[at]?.clock);
}

function keepMoment<Assessed>(moments: Assessed[], made: Assessed): void {
  if (moments.length < KEPT_MOMENTS) moments.push(made);
  else moments[KEPT_MOMENTS - 1] = made;
}

const NO_EXCEPTIONS: readonly GrantedException[] = [];

function endedByFixes(
  exceptions: readonly GrantedException[] = NO_EXCEPTIONS,
  { fixed }: Finding,
  clock: Clock,
  now: number,
): readonly GrantedException[] {
  if (exceptions.length === 0) return exceptions;
  const fixSeen = fixed === undefined ? undefined : (clock.fix ?? now);
  return exceptions.map((exception) => endedByFix(exception, fixSeen));
}

function knownIn(
  kept: Assessments,
  policy: Policy,
  coming: readonly ComingPolicy[],
  distribution: Distribution | undefined,
): Known {
  const ahead = coming.map(({ policy: next, from }) => [from, numberOf(next)]);
  const context = JSON.stringify([numberOf(policy), ahead, distribution?.id, distribution?.idLike]);
  const known = kept.get(context) ?? {
    findings: new Map<Finding, KnownFinding>(),
    runs: new Map<FindingRun, AssessedRun[]>(),
  };
  if (kept.size >= KEPT_CONTEXTS) kept.clear();
  kept.set(context, known);
  return known;
}

const KEPT_POLICIES = 1000;
const numbers = new WeakMap<Policy, number>();
const numbersByText = new Map<string, number>();
let last = 0;

/** The same number for equal policies: they are kept, and their texts are long. Another one for each that was forgotten. */
function numberOf(policy: Policy): number {
  const known = numbers.get(policy);
  if (known !== undefined) return known;
  const text = JSON.stringify(policy);
  const number = numbersByText.get(text) ?? (last += 1);
  if (numbersByText.size >= KEPT_POLICIES) numbersByText.clear();
  numbersByText.set(text, number);
  numbers.set(policy, number);
  return number;
}

function assess(foreseen: Foreseen, now: number): Assessment {
  const { weighed, policy } = countingAt(foreseen, now);
  const { finding, severity, exceptions, clock } = weighed;
  const { coming } = foreseen;
  const lines = linesThrough(foreseen, now);
  // A score that was high once may count for what is nothing otherwise.
  const quiet =
    lines.length === 0 && coming.length === 0 && exceptions.length === 0 && foreseen.policy.epss.threshold === null;
  return new Assessed(weighed, lines, {
    countable: {
      severity: severity.severity,
      fixable: finding.fixed !== undefined,
      suppressed: suppressionAt(weighed, policy, now) !== undefined,
    },
    nextChange: nextChangeOf(foreseen, now, lines),
    assessedAt: now,
    steady:
      quiet || [severity, ...coming.map((next) => next.severity)].every(({ rank }) => isSteady(finding, clock, rank)),
    quiet,
  });
}

/** Words are made when somebody asks for them: of most findings nobody does. */
class Assessed implements Assessment {
  readonly finding: Finding;
  readonly severity: EffectiveSeverity;
  readonly exceptions: readonly GrantedException[];
  readonly clock: Clock;
  readonly kind: VerdictKind;
  readonly countable: Countable;
  readonly nextChange: number | undefined;
  readonly assessedAt: number;
  readonly steady: boolean;
  readonly quiet: boolean;
  readonly #lines: readonly FindingLine[];
  #reasons: readonly Reason[] | undefined;

  constructor(
    { finding, severity, exceptions, clock }: WeighedFinding,
    lines: readonly FindingLine[],
    {
      countable,
      nextChange,
      assessedAt,
      steady,
      quiet,
    }: Pick<Assessment, 'countable' | 'nextChange' | 'assessedAt' | 'steady' | 'quiet'>,
  ) {
    this.finding = finding;
    this.severity = severity;
    this.exceptions = exceptions;
    this.clock = clock;
    this.kind = worstKind(lines);
    this.countable = countable;
    this.nextChange = nextChange;
    this.assessedAt = assessedAt;
    this.steady = steady;
    this.quiet = quiet;
    this.#lines = lines;
  }

  get reasons(): readonly Reason[] {
    this.#reasons ??= this.#lines.map((line) => reasonOf(this, line));
    return this.#reasons;
  }
}
