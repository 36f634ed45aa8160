import type { Finding } from '../model/finding.ts';
import type { Reason } from '../model/verdict.ts';
import { clockKeysOf } from './clocks.ts';
import type { Countable } from './counts.ts';
import { effectiveSeverity } from './effective-severity.ts';
import type { GrantedException } from './exceptions.ts';
import { nextChangeOf, suppressionAt, type WeighedFinding } from './finding-lines.ts';
import { findingReasons } from './finding-reasons.ts';
import type { JudgeInput } from './judge-input.ts';

/** Everything one finding brings into a verdict. */
export interface Assessment extends WeighedFinding {
  readonly reasons: readonly Reason[];
  readonly countable: Countable;
  /** The first moment at which time alone changes it; absent when it never does. */
  readonly nextChange?: number;
  /** Its clock, as it is hashed. */
  readonly clock: string;
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
  { policy, inventory, now }: Pick<JudgeInput, 'policy' | 'inventory' | 'now'>,
  kept: Assessments,
  at: 'now' | 'later' = 'now',
): (finding: Finding, exceptions: readonly GrantedException[], firstSeen: number) => Assessment {
  const { distribution } = inventory;
  const context = JSON.stringify([policy, distribution?.id, distribution?.idLike]);
  const known = kept.get(context) ?? new Map<Finding, Assessment>();
  if (kept.size >= KEPT_CONTEXTS) kept.clear();
  kept.set(context, known);

  return (finding, exceptions, firstSeen) => {
    const before = exceptions.length === 0 ? known.get(finding) : undefined;
    if (before && before.firstSeen === firstSeen && holdsAt(before, now)) return before;
    const severity = effectiveSeverity(finding, distribution, policy);
    const assessed = assess({ finding, severity, exceptions, firstSeen }, policy, now);
    if (at === 'later') return assessed;
    if (known.size >= KEPT_ASSESSMENTS) known.clear();
    if (exceptions.length === 0) known.set(finding, assessed);
    return assessed;
  };
}

function holdsAt({ assessedAt, nextChange }: Assessment, now: number): boolean {
  return assessedAt <= now && (nextChange === undefined || now < nextChange);
}

function assess(weighed: WeighedFinding, policy: JudgeInput['policy'], now: number): Assessment {
  const { finding, severity, firstSeen } = weighed;
  const nextChange = nextChangeOf(weighed, policy, now);
  return {
    ...weighed,
    reasons: findingReasons(weighed, policy, now),
    countable: {
      severity: severity.severity,
      fixable: finding.fixed !== undefined,
      suppressed: suppressionAt(weighed, policy, now) !== undefined,
    },
    ...(nextChange === undefined ? {} : { nextChange }),
    clock: `${clockKeysOf(finding)[0]} ${firstSeen}`,
    assessedAt: now,
  };
}
