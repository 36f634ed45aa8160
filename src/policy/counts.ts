import { SEVERITIES, type Severity } from '../model/severity.ts';
import type { Counts } from '../model/verdict.ts';

/** One finding as it is counted. */
export interface Countable {
  readonly severity: Severity;
  readonly fixable: boolean;
  readonly suppressed: boolean;
}

/** The sum of several counts. */
export function sumOfCounts(all: readonly Counts[]): Counts {
  const bySeverity = noneBySeverity();
  let [total, fixable, suppressed] = [0, 0, 0];
  for (const counts of all) {
    total += counts.total;
    fixable += counts.fixable;
    suppressed += counts.suppressed;
    for (const severity of SEVERITIES) bySeverity[severity] += counts.bySeverity[severity];
  }
  return { total, fixable, suppressed, bySeverity };
}

/** Counts findings by severity; suppressed ones apart, so that `total` is what still stands. */
export function countFindings(findings: readonly Countable[]): Counts {
  const bySeverity = noneBySeverity();
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

function noneBySeverity(): Record<Severity, number> {
  return { none: 0, unknown: 0, negligible: 0, low: 0, medium: 0, high: 0, critical: 0 };
}
