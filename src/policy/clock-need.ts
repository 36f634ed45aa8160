import type { GrantedException } from './exceptions.ts';
import type { Policy } from './policy.ts';

/**
 * True when what is decided under these policies and exceptions may depend on when something was first seen. Where it does not, clocks
 * show in the words and the identity of a verdict alone.
 */
export function dependsOnClocks(policies: readonly Policy[], exceptions: readonly GrantedException[]): boolean {
  return policies.some(hasPeriods) || exceptions.some(({ fixDays }) => fixDays !== undefined);
}

function hasPeriods({ graceDays: { fixable, unfixable }, kev, epss }: Policy): boolean {
  const days = [...Object.values(fixable), ...Object.values(unfixable), kev.graceDays];
  // A score may be held to what it was.
  return epss.threshold !== null || days.some((count) => count > 0);
}
