export const SEVERITIES = ['none', 'unknown', 'negligible', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Rank for comparison, `none` lowest. `unknown` ranks below negligible; policy may lift it to a level it names. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** What one source says about how bad a vulnerability is. */
export interface SeverityStatement {
  /** Who says so: `distribution:debian`, `ghsa`, `nvd`, `cna:<name>`, `cisa-adp`, … A prefix names a family. */
  readonly source: string;
  readonly severity: Severity;
  readonly score?: number;
  readonly vector?: string;
}
