import { widthOf } from '../output.ts';
import type { NumberedLayer } from './layer-numbers.ts';
import type { PackageGroup } from './package-groups.ts';
import { cut, type Paper, painted, severityStyle } from './paper.ts';
import type { ReportedFinding } from './report.ts';

const IDS_SHOWN = 4;
const GAP = '  ';
/** Which column is coloured. */
const WORST = 3;

/** How much room cells take, in columns, and the words for what has no fix. */
interface Measure {
  readonly name: number;
  readonly version: number;
  readonly open: string;
}
const WIDE: Measure = { name: 50, version: 40, open: 'without a fix' };
const NARROW: Measure = { name: 20, version: 14, open: 'open' };
/** One id with the mark of exploited ones. */
const LEAST_ROOM = 24;

/** One row for each package: what is installed, what ends it, how bad it is, which layer brought it, and the ids that fit. */
export function findingTable(
  groups: readonly PackageGroup[],
  layers: ReadonlyMap<string, NumberedLayer>,
  paper: Paper,
): string {
  const headings = ['PACKAGE', 'INSTALLED', 'FIXED IN', 'WORST', ...(layers.size > 1 ? ['LAYER'] : [])];
  const rowsBy = (measure: Measure): readonly (readonly string[])[] =>
    groups.map((group) => cellsOf(group, layers, measure));
  const wide = rowsBy(WIDE);
  const rows = roomBeside(headings, wide, paper) < LEAST_ROOM ? rowsBy(NARROW) : wide;
  const widths = widthsOf(headings, rows);
  const room = roomBeside(headings, rows, paper);
  const padded = (cells: readonly string[]) =>
    cells.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell)));
  return [
    painted(paper, 'bold', [...padded(headings), 'VULNERABILITIES'].join(GAP)),
    ...rows.map((row, at) => {
      const group = groups[at];
      const cells = padded(row).with(
        WORST,
        painted(paper, severityStyle(group?.worst ?? 'none'), padded(row)[WORST] ?? ''),
      );
      return [...cells, idsOf(group?.findings ?? [], room, paper)].join(GAP);
    }),
  ].join('\n');
}

function cellsOf(group: PackageGroup, layers: ReadonlyMap<string, NumberedLayer>, measure: Measure): readonly string[] {
  return [
    cut(group.name, measure.name),
    cut(group.installed, measure.version),
    fixOf(group, measure),
    group.worst,
    ...(layers.size > 1 ? [layersOf(group, layers)] : []),
  ];
}

function widthsOf(headings: readonly string[], rows: readonly (readonly string[])[]): readonly number[] {
  return headings.map((heading, at) => Math.max(widthOf(heading), ...rows.map((row) => widthOf(row[at] ?? ''))));
}

function roomBeside(headings: readonly string[], rows: readonly (readonly string[])[], { width }: Paper): number {
  if (width === undefined) return Number.POSITIVE_INFINITY;
  return width - widthsOf(headings, rows).reduce((sum, column) => sum + column + GAP.length, 0);
}

/** The version that ends everything that has an end; how much has none. */
function fixOf({ fixed, unfixable, unfixed }: PackageGroup, { version, open }: Measure): string {
  if (fixed === undefined) return unfixable === undefined ? '-' : cut(unfixable, version);
  return unfixed === 0 ? cut(fixed, version) : `${cut(fixed, version)} (${unfixed} ${open})`;
}

function layersOf(group: PackageGroup, layers: ReadonlyMap<string, NumberedLayer>): string {
  const numbers = group.layers.flatMap((digest) => layers.get(digest)?.number ?? []).sort((a, b) => a - b);
  return numbers.length > 3 ? `${numbers.slice(0, 2).join(',')}…` : numbers.join(',');
}

/** The worst ids that fit, at least one, and how many more there are. */
function idsOf(sorted: readonly ReportedFinding[], room: number, paper: Paper): string {
  const ids = sorted.slice(0, IDS_SHOWN).map(({ id, kev, malicious }) => ({
    text: cut(id, 40),
    mark: malicious ? 'MALICIOUS' : kev === undefined ? '' : 'KEV',
  }));
  const written = (count: number, mark: (text: string) => string): string => {
    const shown = ids.slice(0, count).map((one) => (one.mark === '' ? one.text : `${one.text} ${mark(one.mark)}`));
    const more = sorted.length - shown.length;
    return shown.join(', ') + (more > 0 ? `, and ${more} more` : '');
  };
  let count = ids.length;
  while (count > 1 && widthOf(written(count, (text) => text)) > room) count -= 1;
  return written(count, (text) => painted(paper, ['bold', 'red'], text));
}
