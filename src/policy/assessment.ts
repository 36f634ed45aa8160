import type { Reason, VerdictKind } from '../model/verdict.ts';
import type { Countable } from './counts.ts';
import type { WeighedFinding } from './finding-lines.ts';

/** How long what was found out at a moment stays as it is. */
interface Lasting {
  /** The first moment at which time alone changes it; undefined when it never does. */
  readonly nextChange: number | undefined;
  /** Epoch ms. */
  readonly assessedAt: number;
  /** Until `nextChange` it is the same at any later moment: all that it is was seen at a moment that is known. */
  readonly steady: boolean;
}

/** True when it is the same at that moment (epoch ms), if the clocks are. */
export function holdsAt({ assessedAt, nextChange, steady }: Lasting, now: number): boolean {
  return assessedAt === now || (steady && assessedAt <= now && (nextChange === undefined || now < nextChange));
}

/** Everything one finding brings into a verdict. */
export interface Assessment extends WeighedFinding, Lasting {
  /** The worst it asks for. */
  readonly kind: VerdictKind;
  readonly reasons: readonly Reason[];
  readonly countable: Countable;
  /** It asks for nothing and never will, whatever its clock is. */
  readonly quiet: boolean;
}
