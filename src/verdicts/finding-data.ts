import { type Severity, severityRank, worstSeverity } from '../model/severity.ts';
import type { Reason } from '../model/verdict.ts';
import type { FindingData } from '../notify/event-data.ts';

/** Reasons that an event names. */
const MOST_NAMED = 5;

/** The worst severity of reasons; `none` without any. */
export function worstOf(reasons: readonly Reason[]): Severity {
  return worstSeverity(
    reasons.map(({ severity }) => severity),
    'none',
  );
}

/** The worst of these reasons as events name them. */
export function findingsData(reasons: readonly Reason[]): FindingData[] {
  return reasons
    .toSorted((a, b) => severityRank(b.severity) - severityRank(a.severity))
    .slice(0, MOST_NAMED)
    .map(findingData);
}

function findingData({ vulnerability, package: name, installed, fixed, severity, rule, kind }: Reason): FindingData {
  return {
    ...(vulnerability === undefined ? {} : { vulnerability }),
    ...(name === undefined ? {} : { package: name }),
    ...(installed === undefined ? {} : { installed }),
    ...(fixed === undefined ? {} : { fixed }),
    severity,
    rule,
    verdict: kind,
  };
}
