import { SEVERITIES, type Severity, severityRank } from '../model/severity.ts';
import type { Policy, Threshold } from './policy.ts';

const DAY = 86_400_000;

/** True when something of that rank counts: at or above the threshold. `none` takes anything, `off` nothing. */
export function reaches(threshold: Threshold, rank: number): boolean {
  if (threshold === 'off') return false;
  return threshold === 'none' || rank >= severityRank(threshold);
}

/** Milliseconds a new finding of that rank only warns. */
export function gracePeriod(policy: Policy, rank: number): number {
  const level: Severity | undefined = SEVERITIES[rank];
  switch (level) {
    case 'low':
    case 'medium':
    case 'high':
    case 'critical':
      return policy.graceDays[level] * DAY;
    default:
      return 0;
  }
}

/** Milliseconds an advisory database may be old; undefined when any age is fine. */
export function advisoryAgeLimit(policy: Policy): number | undefined {
  return policy.advisoryAgeDays === null ? undefined : policy.advisoryAgeDays * DAY;
}
