import type { Reason, VerdictKind } from '../model/verdict.ts';
import type { Countable } from './counts.ts';
import type { WeighedFinding } from './finding-lines.ts';

/** Everything one finding brings into a verdict. */
export interface Assessment extends WeighedFinding {
  /** The worst it asks for. */
  readonly kind: VerdictKind;
  readonly reasons: readonly Reason[];
  readonly countable: Countable;
  /** The first moment at which time alone changes it; undefined when it never does. */
  readonly nextChange: number | undefined;
  /** Epoch ms. */
  readonly assessedAt: number;
  /** Until `nextChange` it is the same at any later moment: all that it is was seen at a moment that is known. */
  readonly steady: boolean;
  /** It asks for nothing and never will, whatever its clock is. */
  readonly quiet: boolean;
}
