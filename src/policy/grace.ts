import { severityRank } from '../model/severity.ts';
import { type Clock, sinceLevel } from './clocks.ts';
import type { Policy } from './policy.ts';
import { daysOf, type Fixability, reaches } from './thresholds.ts';

/** A time in which a rule only warns. Milliseconds; none at all is 0. */
export interface Grace {
  readonly since: number;
  readonly lasts: number;
}

const LEVELS = ['low', 'medium', 'high', 'critical'] as const;

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
export function graceOf({ clock, fixability, rank }: Graced, policy: Policy, now: number): Grace {
  if (fixability === 'unfixable') return endsFirst(gracesOf({ clock, fixability, rank }, policy, now, clock.firstSeen));
  const fix = clock.fix ?? now;
  const graces = gracesOf({ clock, fixability, rank }, policy, now, fix);
  const before =
    fix > clock.firstSeen && reaches(policy.block.unfixable, rank)
      ? gracesOf({ clock, fixability: 'unfixable', rank }, policy, now, clock.firstSeen)
      : [];
  return endsFirst([...graces, ...before]);
}

function gracesOf({ clock, fixability, rank }: Graced, policy: Policy, now: number, notBefore: number): Grace[] {
  const threshold = policy.block[fixability];
  const days = policy.graceDays[fixability];
  const reached = LEVELS.filter((level) => severityRank(level) <= rank && reaches(threshold, severityRank(level)));
  const graces = reached.map((level) => ({
    since: Math.max(sinceLevel(clock, level) ?? now, notBefore),
    lasts: daysOf(days[level]),
  }));
  // What is below low has the grace of what is low.
  return threshold === 'none' ? [{ since: notBefore, lasts: daysOf(days.low) }, ...graces] : graces;
}

/** None at all ends before any other. */
function endsFirst(graces: readonly Grace[]): Grace {
  const none = { since: 0, lasts: 0 };
  return (
    graces.reduce<Grace | undefined>((first, grace) => {
      if (grace.lasts === 0 || first?.lasts === 0) return none;
      return first && first.since + first.lasts <= grace.since + grace.lasts ? first : grace;
    }, undefined) ?? none
  );
}
