import type { Constraint } from './constraint.ts';
import type { Exempt } from './exemption.ts';
import type { Expansion } from './expansion.ts';

/** Everything in a cluster that says how objects are judged. A value: a change makes a new one. */
export interface Rules {
  readonly constraints: readonly Constraint[];
  readonly expansions: readonly Expansion[];
  /** Namespaces left out by Gatekeeper's `Config`. */
  readonly exempt: Exempt;
}

/** Constraints alone, nothing expanded and nothing exempted. */
export function rulesOf(constraints: readonly Constraint[]): Rules {
  return { constraints, expansions: [], exempt: () => false };
}
