import type { Coverage } from '../../model/coverage.ts';
import type { VerdictKind } from '../../model/verdict.ts';
import { counted } from '../../platform/counted.ts';
import { oneLine } from '../../platform/one-line.ts';
import { explain } from '../../policy/explain.ts';
import { facts } from '../output.ts';
import { coverageLines } from './coverage-lines.ts';
import { findingTable } from './finding-table.ts';
import { type NumberedLayer, numberedLayers } from './layer-numbers.ts';
import { type PackageGroup, packageGroups } from './package-groups.ts';
import { cut, type Paper, painted, wrapped } from './paper.ts';
import type { ReportedFinding, ScanReport } from './report.ts';
import { setAsideText } from './set-aside-text.ts';

const SET_ASIDE_SHOWN = 20;
const LONGEST_STEP = 200;
const LONGEST_VERDICT = 1000;
const INDENT = '  ';

/**
 * A scan for people: packages with something against them, the layers they came with, what was set aside, how far the answer
 * reaches, and in the last line what to do.
 */
export function renderScan(report: ScanReport, now: number, paper: Paper): string {
  const groups = packageGroups(report);
  const layers = numberedLayers(report);
  return [
    facts([
      ['target', cut(report.target, LONGEST_STEP)],
      ['digest', report.digest],
      ['packages', String(report.packages.length)],
    ]),
    ...(groups.length === 0 ? [''] : ['', findingTable(groups, layers, paper), '']),
    ...layerLines(groups, layers, paper),
    ...setAsideLines(report.findings, paper),
    ...[summary(report), ...ignoreFileLines(report), ...coverageLines(report.coverage, now)].map((line) =>
      wrapped(line, paper),
    ),
    '',
    lastLine(report, paper),
  ].join('\n');
}

/** The layers that brought what was found, with the build step of each. */
function layerLines(
  groups: readonly PackageGroup[],
  layers: ReadonlyMap<string, NumberedLayer>,
  paper: Paper,
): readonly string[] {
  const named = [...new Set(groups.flatMap((group) => group.layers))]
    .flatMap((digest) => layers.get(digest) ?? [])
    .sort((a, b) => a.number - b.number);
  if (named.length === 0) return [];
  if (named.every(({ createdBy }) => createdBy === undefined) && layers.size < 2) return [];
  const room = (paper.width ?? LONGEST_STEP) - INDENT.length;
  const lines = named.map(({ number, digest = '', createdBy }) =>
    cut(`${number}  ${digest.slice(0, 19)}  ${createdBy ?? ''}`, room),
  );
  return [named.length === 1 ? 'layer:' : 'layers:', ...lines.map((line) => `${INDENT}${line}`), ''];
}

function setAsideLines(findings: readonly ReportedFinding[], paper: Paper): readonly string[] {
  const lines = findings.flatMap(({ id, package: name, installed, setAside }) =>
    setAside ? oneLine(`${id} in ${name} ${installed}: ${setAsideText(setAside)}`) : [],
  );
  if (lines.length === 0) return [];
  const more = lines.length - SET_ASIDE_SHOWN;
  return [
    `set aside: ${counted(lines.length, 'finding')}, which do not count`,
    ...lines.slice(0, SET_ASIDE_SHOWN).map((line) => wrapped(cut(line, 500), paper, INDENT)),
    ...(more > 0 ? [`${INDENT}and ${more} more; see -o json`] : []),
    '',
  ];
}

function summary({ findings, verdict, hidden = 0 }: ScanReport): string {
  const { counts } = verdict;
  const unseen = hidden > 0 ? `; ${counted(hidden, 'finding')} without a fix not shown` : '';
  if (counts.total === 0) return `no known vulnerabilities${counts.suppressed > 0 ? ' that count' : ''}${unseen}`;
  const levels = Object.entries(counts.bySeverity)
    .filter(([, count]) => count > 0)
    .reverse()
    .map(([level, count]) => `${count} ${level}`);
  const exploited = new Set(
    findings.filter(({ kev, setAside }) => kev !== undefined && setAside === undefined).map(({ id }) => id),
  ).size;
  return `${[
    `${counted(counts.total, 'finding')}: ${levels.join(', ')}`,
    `${counts.fixable} with a fix`,
    ...(exploited > 0 ? [`${exploited} known to be exploited (KEV)`] : []),
  ].join('; ')}${unseen}`;
}

function ignoreFileLines({ ignoreFile }: ScanReport): readonly string[] {
  if (!ignoreFile) return [];
  const { file, expired, unused } = ignoreFile;
  return [
    ...expired.map(({ line, id }) => `ignore file: ${file} line ${line} (${id}) is over and does not count any more`),
    ...unused.map(({ line, id }) => `ignore file: ${file} line ${line} (${id}) concerns nothing that was found`),
  ].map((text) => cut(text, LONGEST_STEP));
}

/** The decision in one line, and what to do about it. */
function lastLine({ verdict, coverage, findings }: ScanReport, paper: Paper): string {
  const style = { allow: 'green', warn: 'yellow', block: 'red' } as const;
  const line = `${cut(explain(verdict), LONGEST_VERDICT)}. ${nextStep(findings, coverage, verdict.kind)}`.trimEnd();
  return painted(paper, style[verdict.kind], wrapped(line, paper));
}

function nextStep(findings: readonly ReportedFinding[], coverage: Coverage, kind: VerdictKind): string {
  const counting = findings.filter(({ setAside }) => setAside === undefined);
  const fixable = counting.filter(({ fixed }) => fixed !== undefined);
  if (fixable.length > 0) return 'Update the packages named above and scan again.';
  if (counting.length > 0) return 'There is no fixed version yet: remove what is not needed, or change the base image.';
  if (coverage.missing.length > 0)
    return 'Nothing is known about some of its packages: build a database that covers them with "breakwater db build".';
  // Reasons that are no findings say themselves what to do.
  return kind === 'allow' ? 'Nothing to do.' : '';
}
