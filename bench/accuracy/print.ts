import { type Agreement, compareFindings, comparePackages } from './agreement.ts';
import { type ListedFinding, type ListedPackage, packageKey, type ToolReport } from './facts.ts';
import { f1, type Label, score } from './labels.ts';
import type { Measured } from './measured.ts';
import { type Difference, findingDifference, nameOf, readReasons } from './reasons.ts';

const OURS = 'Breakwater';
/** Shown one by one of each group of differences with the same reason. */
const SHOWN = 3;

type Read = Measured['reports'] extends ReadonlyMap<string, infer Value> ? Value : never;

/**
 * Prints agreement on packages and on findings, every difference under its reason, and the score against the labels. False when a goal is
 * not met or a difference has no reason.
 */
export function printReport(measured: readonly Measured[], labels: ReadonlyMap<string, readonly Label[]>): boolean {
  const differences = [...printPackages(measured), ...printFindings(measured)];
  const explained = printDifferences(differences);
  const listed = printLists(measured);
  const right = printScore(measured, labels);
  return explained && listed && right;
}

function printPackages(measured: readonly Measured[]): readonly Difference[] {
  console.log('\n## Packages, tool by tool\n');
  return pairs(
    measured,
    'package',
    (ours, theirs) => comparePackages(ours.packages, theirs.packages),
    (where, item: ListedPackage) => ({
      ...where,
      kind: 'package',
      package: item,
      ids: [],
    }),
  );
}

function printFindings(measured: readonly Measured[]): readonly Difference[] {
  console.log('\n## Findings, tool by tool\n');
  return pairs(
    measured,
    'finding',
    (ours, theirs) => (theirs.findings ? compareFindings(ours.findings ?? [], theirs.findings) : undefined),
    findingDifference,
  );
}

function pairs<Item>(
  measured: readonly Measured[],
  what: string,
  compare: (ours: ToolReport, theirs: ToolReport) => Agreement<Item> | undefined,
  toDifference: (where: Pick<Difference, 'image' | 'tool' | 'side'>, item: Item) => Difference,
): readonly Difference[] {
  const rows: string[][] = [['image', 'beside', `${what}s both`, 'only ours', 'only theirs']];
  const differences: Difference[] = [];
  for (const { image, reports } of measured) {
    const ours = reports.get(OURS);
    for (const [tool, theirs] of reports) {
      if (tool === OURS) continue;
      if (!isReport(ours) || !isReport(theirs)) {
        rows.push([image.name, tool, `not read: ${failure(ours) ?? failure(theirs)}`]);
        continue;
      }
      const agreement = compare(ours, theirs);
      if (!agreement) continue;
      const { both, onlyOurs, onlyTheirs } = agreement;
      rows.push([image.name, tool, String(both), String(onlyOurs.length), String(onlyTheirs.length)]);
      differences.push(
        ...onlyOurs.map((item) => toDifference({ image: image.name, tool, side: 'only-ours' }, item)),
        ...onlyTheirs.map((item) => toDifference({ image: image.name, tool, side: 'only-theirs' }, item)),
      );
    }
  }
  console.log(table(rows));
  return differences;
}

function printDifferences(differences: readonly Difference[]): boolean {
  console.log('\n## Differences and their reasons\n');
  const reasonOf = readReasons();
  const groups = Map.groupBy(differences, (difference) =>
    [difference.tool, difference.kind, difference.side, reasonOf(difference) ?? ''].join('\t'),
  );
  const rows: string[][] = [['beside', 'what', 'side', 'count', 'for example', 'reason']];
  for (const [key, group] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [tool = '', kind = '', side = '', reason = ''] = key.split('\t');
    const shown = reason === '' ? group : group.slice(0, SHOWN);
    const examples = shown
      .map((one) => [`${one.image}:`, nameOf(one.package), ...one.ids.slice(0, 1)].join(' '))
      .join('; ');
    rows.push([tool, kind, side, String(group.length), examples, reason || 'NOT EXPLAINED']);
  }
  console.log(table(rows));
  return ![...groups.keys()].some((key) => key.endsWith('\t'));
}

/** Packages against the independent lists, out of what any tool found. */
function printLists(measured: readonly Measured[]): boolean {
  console.log('\n## Packages against the independent lists\n');
  const tools = [...(measured[0]?.reports.keys() ?? [])];
  const rows: string[][] = [['tool', 'images', 'listed', 'found', 'missed', 'beyond the list', 'recall', 'precision']];
  let met = true;
  for (const tool of tools) {
    const read = measured.flatMap(({ image, reports }) => {
      const report = reports.get(tool);
      return isReport(report) ? [{ image, agreement: comparePackages(report.packages, image.expected), report }] : [];
    });
    const sum = (pick: (agreement: Agreement<ListedPackage>) => number) =>
      read.reduce((total, { agreement }) => total + pick(agreement), 0);
    const [found, beyond, missed] = [
      sum(({ both }) => both),
      sum(({ onlyOurs }) => onlyOurs.length),
      sum(({ onlyTheirs }) => onlyTheirs.length),
    ];
    const [recall, precision] = [found / (found + missed), found / (found + beyond)];
    rows.push([
      tool,
      String(read.length),
      String(found + missed),
      String(found),
      String(missed),
      String(beyond),
      recall.toFixed(4),
      precision.toFixed(4),
    ]);
    if (tool !== OURS) continue;
    met = recall === 1 && precision >= 0.99;
    for (const { image, agreement } of read)
      for (const [side, items] of [
        ['missed', agreement.onlyTheirs],
        ['beyond', agreement.onlyOurs],
      ] as const)
        for (const item of items) console.log(`${side}: ${image.name} ${nameOf(item)}`);
  }
  console.log(table(rows));
  return met;
}

/** Findings against the labels. */
function printScore(measured: readonly Measured[], labels: ReadonlyMap<string, readonly Label[]>): boolean {
  console.log('\n## Findings against the labels\n');
  const tools = [...(measured[0]?.reports.keys() ?? [])];
  const rows: string[][] = [
    ['tool', 'images', 'labels', 'right', 'missed', 'wrong', 'unlabelled', 'precision', 'recall', 'F1'],
  ];
  let met = false;
  for (const tool of tools) {
    const scored = measured.flatMap(({ image, reports }) => {
      const report = reports.get(tool);
      const known = labels.get(image.name);
      return known && isReport(report) && report.findings
        ? [{ image, known, result: score(known, report.findings) }]
        : [];
    });
    if (scored.length === 0) continue;
    const total = (pick: (one: (typeof scored)[number]) => number) => scored.reduce((sum, one) => sum + pick(one), 0);
    const right = total(({ result }) => result.right);
    const missed = total(({ result }) => result.missed.length);
    const unlabelled = total(({ result }) => distinct(result.unlabelled));
    const wrong = total(({ result }) => result.wrong.length);
    const mean = f1(right, missed, wrong + unlabelled);
    rows.push([
      tool,
      String(scored.length),
      String(total(({ known }) => known.length)),
      ...[right, missed, wrong, unlabelled].map(String),
      (right / (right + wrong + unlabelled)).toFixed(4),
      (right / (right + missed)).toFixed(4),
      mean.toFixed(4),
    ]);
    if (tool !== OURS) continue;
    met = mean >= 0.98 && wrong === 0;
    for (const { image, result } of scored) {
      for (const label of result.missed)
        console.log(`missed: ${image.name} ${nameOf(label.package)} ${label.id}: ${label.reason}`);
      for (const label of result.wrong)
        console.log(`wrong: ${image.name} ${nameOf(label.package)} ${label.id}: ${label.reason}`);
      for (const { package: item, ids } of result.unlabelled)
        console.log(`unlabelled: ${image.name} ${nameOf(item)} ${ids.join(' ')}`);
    }
  }
  console.log(table(rows));
  return met;
}

function distinct(findings: readonly ListedFinding[]): number {
  return new Set(findings.map(({ package: item, ids }) => `${packageKey(item)}\t${ids[0]}`)).size;
}

function isReport(report: Read | undefined): report is ToolReport {
  return report !== undefined && 'packages' in report;
}

function failure(report: Read | undefined): string | undefined {
  return report !== undefined && 'failed' in report ? report.failed.slice(0, 100) : undefined;
}

/** A Markdown table. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...rest] = rows;
  const line = (cells: readonly string[]) => `| ${head.map((_, at) => cells[at] ?? '').join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rest.map(line)].join('\n');
}
