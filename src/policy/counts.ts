import { SEVERITIES, type Severity } from '../model/severity.ts';
import type { Counts } from '../model/verdict.ts';

/** One finding as it is counted. */
export interface Countable {
  readonly severity: Severity;
  readonly fixable: boolean;
  readonly suppressed: boolean;
}

/** Counts findings by severity; suppressed ones apart, so that `total` is what still stands. */
export function countFindings(findings: readonly Countable[]): Counts {
  const bySeverity = Object.fromEntries(SEVERITIES.map((severity) => [severity, 0])) as Record<Severity, number>;
  let [total, fixable, suppressed] = [0, 0, 0];
  for (const finding of findings) {
    if (finding.suppressed) {
      suppressed += 1;
      continue;
    }
    total += 1;
    if (finding.fixable) fixable += 1;
    bySeverity[finding.severity] += 1;
  }
  return { total, fixable, suppressed, bySeverity };
}
