import { severityRank } from '../model/severity.ts';
import type { Policy, Threshold } from './policy.ts';

const DAY = 86_400_000;

/** Days in milliseconds. */
export function daysOf(days: number): number {
  return days * DAY;
}

/** True when something of that rank counts: at or above the threshold. `none` takes anything, `off` nothing. */
export function reaches(threshold: Threshold, rank: number): boolean {
  if (threshold === 'off') return false;
  return threshold === 'none' || rank >= severityRank(threshold);
}

/** Whether there is a version that ends it; thresholds and grace periods are separate for both. */
export type Fixability = 'fixable' | 'unfixable';

/** Milliseconds an advisory database may be old; undefined when any age is fine. */
export function advisoryAgeLimit(policy: Policy): number | undefined {
  return policy.advisoryAge.days === null ? undefined : daysOf(policy.advisoryAge.days);
}
