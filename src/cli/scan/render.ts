import type { Coverage } from '../../model/coverage.ts';
import { severityRank } from '../../model/severity.ts';
import { explain } from '../../policy/explain.ts';
import { schemeOf } from '../../scanner/matcher/ecosystem.ts';
import { compareVersions } from '../../scanner/versions/index.ts';
import { counted, facts, oneLine, table } from '../output.ts';
import { coverageLines } from './coverage-lines.ts';
import type { ReportedFinding, ScanReport } from './report.ts';

const IDS_SHOWN = 4;

/** A scan for people: packages with something against them, how far the answer reaches, and in the last line what to do. */
export function renderScan(report: ScanReport, now: number): string {
  return [
    facts([
      ['target', report.target],
      ['digest', report.digest],
      ['packages', String(report.packages.length)],
    ]),
    report.findings.length === 0 ? '' : `\n${findingTable(report)}\n`,
    summary(report),
    ...coverageLines(report.coverage, now),
    '',
    lastLine(report),
  ].join('\n');
}

/** One row for each package, worst first. */
function findingTable({ findings, packages }: ScanReport): string {
  const ecosystems = new Map(packages.map(({ purl, ecosystem }) => [purl, ecosystem]));
  const groups = [...Map.groupBy(findings, ({ purl }) => purl).values()].sort(byWorst);
  return table(
    ['package', 'installed', 'fixed in', 'worst', 'vulnerabilities'],
    groups.map((group) => {
      const [first] = group;
      const sorted = [...group].sort(worstFirst);
      return [
        first?.package ?? '',
        first?.installed ?? '',
        fixOf(group, ecosystems.get(first?.purl ?? '')),
        sorted[0]?.severity ?? '',
        idsOf(sorted),
      ];
    }),
  );
}

/** The version that ends everything that has an end; how much has none. */
function fixOf(group: readonly ReportedFinding[], ecosystem: string | undefined): string {
  const scheme = ecosystem === undefined ? undefined : schemeOf(ecosystem);
  const versions = [...new Set(group.flatMap(({ fixed }) => fixed ?? []))];
  const open = group.filter(({ fixed }) => fixed === undefined).length;
  if (versions.length === 0) return '-';
  const newest = versions.reduce((best, version) =>
    scheme !== undefined && compareVersions(scheme, version, best) === 1 ? version : best,
  );
  return open === 0 ? newest : `${newest} (${open} without a fix)`;
}

function idsOf(sorted: readonly ReportedFinding[]): string {
  const shown = sorted.slice(0, IDS_SHOWN).map(({ id, kev }) => (kev === undefined ? id : `${id} KEV`));
  const more = sorted.length - shown.length;
  return shown.join(', ') + (more > 0 ? `, and ${more} more` : '');
}

function byWorst(a: readonly ReportedFinding[], b: readonly ReportedFinding[]): number {
  const [worstA, worstB] = [[...a].sort(worstFirst)[0], [...b].sort(worstFirst)[0]];
  return worstA && worstB ? worstFirst(worstA, worstB) || worstA.package.localeCompare(worstB.package) : 0;
}

/** Exploited ones before others of the same severity. */
function worstFirst(a: ReportedFinding, b: ReportedFinding): number {
  return (
    severityRank(b.severity) - severityRank(a.severity) ||
    Number(b.kev !== undefined) - Number(a.kev !== undefined) ||
    Number(b.fixed !== undefined) - Number(a.fixed !== undefined)
  );
}

function summary({ findings, verdict }: ScanReport): string {
  if (findings.length === 0) return 'no known vulnerabilities';
  const levels = Object.entries(verdict.counts.bySeverity)
    .filter(([, count]) => count > 0)
    .reverse()
    .map(([level, count]) => `${count} ${level}`);
  const exploited = new Set(findings.filter(({ kev }) => kev !== undefined).map(({ id }) => id)).size;
  return [
    `${counted(findings.length, 'finding')}: ${levels.join(', ')}`,
    `${verdict.counts.fixable} with a fix`,
    ...(exploited > 0 ? [`${exploited} known to be exploited (KEV)`] : []),
  ].join('; ');
}

/** The decision in one line, and what to do about it. */
function lastLine({ verdict, coverage, findings }: ScanReport): string {
  return oneLine(`${explain(verdict)}. ${nextStep(findings, coverage)}`);
}

function nextStep(findings: readonly ReportedFinding[], coverage: Coverage): string {
  const fixable = findings.filter(({ fixed }) => fixed !== undefined);
  if (fixable.length > 0) return 'Update the packages named above and scan again.';
  if (findings.length > 0) return 'There is no fixed version yet: remove what is not needed, or change the base image.';
  if (coverage.missing.length > 0)
    return 'Nothing is known about some of its packages: build a database that covers them with "breakwater db build".';
  return 'Nothing to do.';
}
