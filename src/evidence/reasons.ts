import type { Counts, Reason } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';
import type { Line, ReasonLine } from './lines.ts';

/** Reasons of one list that are written out; the rest is counted. */
const WORST = 25;

/** A reason as it is written down: without what every source says and what only its sentence needs, with times for people. */
export function reasonLine(reason: Reason): ReasonLine {
  const { severities: _severities, aliases: _aliases, status: _status, subscriptionFix: _fix, ...known } = reason;
  const { firstSeen, deadline, heldUntil, suppressedBy, ...rest } = known;
  return {
    ...rest,
    ...(firstSeen === undefined ? {} : { firstSeen: toRfc3339(firstSeen) }),
    ...(deadline === undefined ? {} : { deadline: toRfc3339(deadline) }),
    ...(heldUntil === undefined ? {} : { heldUntil: toRfc3339(heldUntil) }),
    ...(suppressedBy === undefined
      ? {}
      : { exception: { id: suppressedBy.exception, until: toRfc3339(suppressedBy.until) } }),
  };
}

/** A list of reasons, worst first: their number and the first of them. */
export function reasonsLine(reasons: readonly Reason[]): Line<'verdictChanges'>['added'] {
  return { total: reasons.length, worst: reasons.slice(0, WORST).map(reasonLine) };
}

export function countsLine({ total, fixable, suppressed, bySeverity }: Counts): Line<'verdictChanges'>['counts'] {
  return { total, fixable, suppressed, bySeverity: { ...bySeverity } };
}
