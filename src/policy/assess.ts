import type { Finding } from '../model/finding.ts';
import type { Reason } from '../model/verdict.ts';
import { type Clock, clockKeysOf, clockText, sameClock } from './clocks.ts';
import type { Countable } from './counts.ts';
import { effectiveSeverity } from './effective-severity.ts';
import type { GrantedException } from './exceptions.ts';
import { suppressionAt, type WeighedFinding } from './finding-lines.ts';
import { findingReasons } from './finding-reasons.ts';
import type { JudgeInput } from './judge-input.ts';
import type { Policy } from './policy.ts';
import { countingAt, type Foreseen, nextChangeOf } from './policy-timeline.ts';

/** Everything one finding brings into a verdict. */
export interface Assessment extends WeighedFinding {
  readonly reasons: readonly Reason[];
  readonly countable: Countable;
  /** The first moment at which time alone changes it; absent when it never does. */
  readonly nextChange?: number;
  /** Its clock, as it is hashed. */
  readonly clockLine: string;
  /** Epoch ms. */
  readonly assessedAt: number;
}

/**
 * Assessments kept for other images that hold the very same finding. They are used only where the policy, the distribution
 * and the clock are equal, nothing is excepted and no time has come, so that what they give is what assessing anew would give.
 */
export type Assessments = Map<string, Map<Finding, Assessment>>;

/** Policies and distributions whose assessments are kept, and assessments of each. */
const KEPT_CONTEXTS = 100;
const KEPT_ASSESSMENTS = 50_000;

/** Assesses the findings of one image. What a later moment changes is not kept: others ask about now. */
export function createAssessor(
  { policy, coming = [], inventory, now }: Pick<JudgeInput, 'policy' | 'coming' | 'inventory' | 'now'>,
  kept: Assessments,
  at: 'now' | 'later' = 'now',
): (finding: Finding, exceptions: readonly GrantedException[], clock: Clock) => Assessment {
  const { distribution } = inventory;
  const ahead = coming.map(({ policy: next, from }) => `${from} ${textOf(next)}`);
  const context = JSON.stringify([textOf(policy), ahead, distribution?.id, distribution?.idLike]);
  const known = kept.get(context) ?? new Map<Finding, Assessment>();
  if (kept.size >= KEPT_CONTEXTS) kept.clear();
  kept.set(context, known);

  return (finding, exceptions, clock) => {
    const before = exceptions.length === 0 ? known.get(finding) : undefined;
    if (before && sameClock(before.clock, clock) && holdsAt(before, now)) return before;
    const severity = effectiveSeverity(finding, distribution, policy);
    const weights = coming.map((next) => ({
      ...next,
      severity: effectiveSeverity(finding, distribution, next.policy),
    }));
    const weighed = { finding, severity, exceptions, clock };
    const assessed = assess({ weighed, policy, coming: weights }, now);
    if (at === 'later') return assessed;
    if (known.size >= KEPT_ASSESSMENTS) known.clear();
    if (exceptions.length === 0) known.set(finding, assessed);
    return assessed;
  };
}

function holdsAt({ assessedAt, nextChange }: Assessment, now: number): boolean {
  return assessedAt <= now && (nextChange === undefined || now < nextChange);
}

const texts = new WeakMap<Policy, string>();

/** Policies are kept, and long. */
function textOf(policy: Policy): string {
  const known = texts.get(policy) ?? JSON.stringify(policy);
  texts.set(policy, known);
  return known;
}

function assess(foreseen: Foreseen, now: number): Assessment {
  const { weighed, policy } = countingAt(foreseen, now);
  const { finding, severity, clock } = weighed;
  const nextChange = nextChangeOf(foreseen, now);
  return {
    ...weighed,
    reasons: findingReasons({ ...foreseen, weighed }, now),
    countable: {
      severity: severity.severity,
      fixable: finding.fixed !== undefined,
      suppressed: suppressionAt(weighed, policy, now) !== undefined,
    },
    ...(nextChange === undefined ? {} : { nextChange }),
    clockLine: `${clockKeysOf(finding)[0]} ${clockText(clock)}`,
    assessedAt: now,
  };
}
