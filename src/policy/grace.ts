import type { Finding } from '../model/finding.ts';
import { severityRank } from '../model/severity.ts';
import { type Clock, sinceLevel } from './clocks.ts';
import type { Policy } from './policy.ts';
import { daysOf, type Fixability, reaches } from './thresholds.ts';

/** A time in which a rule only warns. Milliseconds; none at all is 0. */
export interface Grace {
  readonly since: number;
  readonly lasts: number;
}

interface Graced {
  readonly clock: Clock;
  readonly fixability: Fixability;
  /** Of the severity it has now. */
  readonly rank: number;
}

/**
 * The grace of a finding that reaches the blocking threshold: the one that ends first of every level from the threshold to its
 * own. What is critical is at least high too, so that no finding gains time by becoming worse; nor does one by becoming
 * fixable: what it had as unfixable goes on to end when it would have.
 */
export function graceOf(graced: Graced, policy: Policy, now: number): Grace {
  const { clock, fixability, rank } = graced;
  if (fixability === 'unfixable') return firstEnd(graced, policy, now, clock.firstSeen);
  const fix = clock.fix ?? now;
  const grace = firstEnd(graced, policy, now, fix);
  if (fix <= clock.firstSeen || !reaches(policy.block.unfixable, rank)) return grace;
  return earlierEnd(grace, firstEnd({ clock, fixability: 'unfixable', rank }, policy, now, clock.firstSeen));
}

/**
 * True when the clock of a finding of this rank runs for all that it is: then no period of it counts from the moment at which somebody asks.
 */
export function isSteady({ fixed, kev }: Pick<Finding, 'fixed' | 'kev'>, clock: Clock, rank: number): boolean {
  const level = LEVELS.findLast((one) => one.rank <= rank);
  return (
    (fixed === undefined || clock.fix !== undefined) &&
    (kev === undefined || clock.kev !== undefined) &&
    (level === undefined || sinceLevel(clock, level.name) !== undefined)
  );
}

const NONE: Grace = { since: 0, lasts: 0 };
const LEVELS = (['low', 'medium', 'high', 'critical'] as const).map((name) => ({ name, rank: severityRank(name) }));

function firstEnd({ clock, fixability, rank }: Graced, policy: Policy, now: number, notBefore: number): Grace {
  const threshold = policy.block[fixability];
  const days = policy.graceDays[fixability];
  // What is below low has the grace of what is low.
  let first = threshold === 'none' ? { since: notBefore, lasts: daysOf(days.low) } : undefined;
  for (const level of LEVELS) {
    if (level.rank > rank) break;
    if (!reaches(threshold, level.rank)) continue;
    const since = Math.max(sinceLevel(clock, level.name) ?? now, notBefore);
    const grace = { since, lasts: daysOf(days[level.name]) };
    first = first ? earlierEnd(first, grace) : grace;
  }
  return first ?? NONE;
}

/** None at all ends before any other. */
function earlierEnd(a: Grace, b: Grace): Grace {
  if (a.lasts === 0 || b.lasts === 0) return NONE;
  return a.since + a.lasts <= b.since + b.lasts ? a : b;
}
