import { widthOf } from '../output.ts';
import type { NumberedLayer } from './layer-numbers.ts';
import type { PackageGroup } from './package-groups.ts';
import { cut, type Paper, painted, severityStyle } from './paper.ts';
import type { ReportedFinding } from './report.ts';

const IDS_SHOWN = 4;
const WIDEST = { name: 50, version: 40 } as const;
const GAP = '  ';
/** Which column is coloured. */
const WORST = 3;

/** One row for each package: what is installed, what ends it, how bad it is, which layer brought it, and the ids that fit. */
export function findingTable(
  groups: readonly PackageGroup[],
  layers: ReadonlyMap<string, NumberedLayer>,
  paper: Paper,
): string {
  const withLayers = groups.some((group) => group.layers.some((digest) => layers.has(digest)));
  const headings = ['PACKAGE', 'INSTALLED', 'FIXED IN', 'WORST', ...(withLayers ? ['LAYER'] : [])];
  const rows = groups.map((group) => [
    cut(group.name, WIDEST.name),
    cut(group.installed, WIDEST.version),
    fixOf(group),
    group.worst,
    ...(withLayers ? [layersOf(group, layers)] : []),
  ]);
  const widths = headings.map((heading, at) =>
    Math.max(...[heading, ...rows.map((row) => row[at] ?? '')].map(widthOf)),
  );
  const used = widths.reduce((sum, width) => sum + width + GAP.length, 0);
  const room = paper.width === undefined ? Number.POSITIVE_INFINITY : Math.max(20, paper.width - used);
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

/** The version that ends everything that has an end; how much has none. */
function fixOf({ fixed, unfixed }: PackageGroup): string {
  if (fixed === undefined) return '-';
  const version = cut(fixed, WIDEST.version);
  return unfixed === 0 ? version : `${version} (${unfixed} without a fix)`;
}

function layersOf(group: PackageGroup, layers: ReadonlyMap<string, NumberedLayer>): string {
  const numbers = group.layers.flatMap((digest) => layers.get(digest)?.number ?? []).sort((a, b) => a - b);
  return numbers.length > 3 ? `${numbers.slice(0, 2).join(',')}…` : numbers.join(',');
}

/** The worst ids that fit, at least one, and how many more there are. */
function idsOf(sorted: readonly ReportedFinding[], room: number, paper: Paper): string {
  const ids = sorted.slice(0, IDS_SHOWN).map(({ id, kev }) => ({ text: cut(id, 40), exploited: kev !== undefined }));
  const written = (count: number, mark: (text: string) => string): string => {
    const shown = ids.slice(0, count).map(({ text, exploited }) => (exploited ? `${text} ${mark('KEV')}` : text));
    const more = sorted.length - shown.length;
    return shown.join(', ') + (more > 0 ? `, and ${more} more` : '');
  };
  let count = ids.length;
  while (count > 1 && widthOf(written(count, (text) => text)) > room) count -= 1;
  return written(count, (text) => painted(paper, ['bold', 'red'], text));
}
