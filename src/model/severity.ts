export const SEVERITIES = ['none', 'unknown', 'negligible', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Rank for comparison, `none` lowest. `unknown` ranks below negligible; policy may lift it to a level it names. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** The worst of these, and never less than `least`. */
export function worstSeverity(severities: Iterable<Severity>, least: Severity): Severity {
  let worst = least;
  for (const severity of severities) if (severityRank(severity) > severityRank(worst)) worst = severity;
  return worst;
}

/** What one source says about how bad a vulnerability is. */
export interface SeverityStatement {
  /** Who says so: `distribution:debian`, `ghsa`, `nvd`, `cna:<name>`, `cisa-adp`, … A prefix names a family. */
  readonly source: string;
  readonly severity: Severity;
  readonly score?: number;
  readonly vector?: string;
}
