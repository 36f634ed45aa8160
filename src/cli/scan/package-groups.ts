import { type Severity, severityRank } from '../../model/severity.ts';
import { compareText } from '../../oci/canonical.ts';
import { schemeOf } from '../../scanner/matcher/ecosystem.ts';
import { compareVersions } from '../../scanner/versions/index.ts';
import type { ReportedFinding, ScanReport } from './report.ts';

/** Everything that counts against one package, copies of it together. */
export interface PackageGroup {
  readonly name: string;
  readonly installed: string;
  readonly purl: string;
  /** The version that ends everything that has an end; absent when nothing has one. */
  readonly fixed?: string;
  /** Why nothing has a fix, where all have the same reason. */
  readonly unfixable?: string;
  /** How many vulnerabilities have no fix. */
  readonly unfixed: number;
  readonly worst: Severity;
  /** One for each vulnerability, worst first. */
  readonly findings: readonly ReportedFinding[];
  /** Digests of the layers that brought it. */
  readonly layers: readonly string[];
  readonly paths: readonly string[];
}

/** Findings that count by package, the worst package first. */
export function packageGroups({
  findings,
  packages,
}: Pick<ScanReport, 'findings' | 'packages'>): readonly PackageGroup[] {
  const ecosystems = new Map(packages.map(({ purl, ecosystem }) => [purl, ecosystem]));
  const counting = findings.filter(({ setAside }) => setAside === undefined);
  const groups = Map.groupBy(counting, (one) => JSON.stringify([one.purl, one.package, one.installed]));
  return [...groups.values()]
    .flatMap((group) => groupOf(group, ecosystems.get(group[0]?.purl ?? '')) ?? [])
    .sort(byWorst);
}

function groupOf(copies: readonly ReportedFinding[], ecosystem: string | undefined): PackageGroup | undefined {
  const findings = [...new Map(copies.map((one) => [one.id, one])).values()].sort(worstFirst);
  const [first] = findings;
  if (!first) return undefined;
  const fixed = newest(unique(findings.flatMap((one) => one.fixed ?? [])), ecosystem);
  return {
    name: first.package,
    installed: first.installed,
    purl: first.purl,
    ...(fixed === undefined ? {} : { fixed }),
    ...unfixableBy(findings),
    unfixed: findings.filter((one) => one.fixed === undefined).length,
    worst: first.severity,
    findings,
    layers: unique(copies.flatMap(({ layer }) => layer ?? [])),
    paths: unique(copies.flatMap(({ path, paths = [path] }) => paths)),
  };
}

const WITHOUT_FIX: Readonly<Partial<Record<ReportedFinding['status'], string>>> = {
  will_not_fix: 'will not be fixed',
  fix_deferred: 'put off',
  end_of_life: 'no more fixes',
};

function unfixableBy(findings: readonly ReportedFinding[]): { readonly unfixable?: string } {
  const [reason, ...others] = unique(
    findings.map(({ fixed, subscriptionFix, status }) => {
      if (fixed !== undefined) return '';
      return subscriptionFix === undefined ? (WITHOUT_FIX[status] ?? '') : `${subscriptionFix} (subscription)`;
    }),
  );
  return reason && others.length === 0 ? { unfixable: reason } : {};
}

function newest(versions: readonly string[], ecosystem: string | undefined): string | undefined {
  const scheme = ecosystem === undefined ? undefined : schemeOf(ecosystem);
  return versions.reduce<string | undefined>(
    (best, version) =>
      best === undefined || (scheme !== undefined && compareVersions(scheme, version, best) === 1) ? version : best,
    undefined,
  );
}

/** Exploited ones before others of the same severity, then those with a fix. */
export function worstFirst(a: ReportedFinding, b: ReportedFinding): number {
  return (
    severityRank(b.severity) - severityRank(a.severity) ||
    Number(b.kev !== undefined) - Number(a.kev !== undefined) ||
    Number(b.fixed !== undefined) - Number(a.fixed !== undefined)
  );
}

function byWorst(a: PackageGroup, b: PackageGroup): number {
  const [worstA, worstB] = [a.findings[0], b.findings[0]];
  return worstA && worstB ? worstFirst(worstA, worstB) || compareText(a.name, b.name) : 0;
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
