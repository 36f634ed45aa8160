import { median, plain, type Row, ratioOf, type Sample } from './figures.ts';

type Column = readonly [heading: string, text: (samples: readonly Sample[]) => string];

/** A figure of all rounds: its median, and how far the rounds lie apart. */
function spread(pick: (sample: Sample) => number | undefined, unit = ''): (samples: readonly Sample[]) => string {
  return (samples) => {
    const values = samples.flatMap((sample) => pick(sample) ?? []);
    if (values.length === 0) return '-';
    return `${plain(median(values))}${unit} (${plain(Math.min(...values))}-${plain(Math.max(...values))})`;
  };
}

const COLUMNS: readonly Column[] = [
  ['per second', spread((sample) => sample.perSecond)],
  ['p50', spread((sample) => sample.p50Ms, ' ms')],
  ['p99', spread((sample) => sample.p99Ms, ' ms')],
  ['cpu each', spread((sample) => sample.cpuMs, ' ms')],
  ['peak', spread((sample) => sample.peakMB, ' MB')],
];

/** Prints a table: a line for each scenario and contender, then how Breakwater compares, round by round. */
export function printRows(rows: readonly Row[]): void {
  printFigures(rows);
  console.log(
    '\nBreakwater beside each, round by round (more than 1x per second is faster, less than 1x cpu is cheaper):',
  );
  console.log(table(rows.flatMap(comparisons)));
}

/** Prints a line for each scenario and contender. */
export function printFigures(rows: readonly Row[]): void {
  const lines: string[][] = [['scenario', 'what', ...COLUMNS.map(([heading]) => heading)]];
  for (const { scenario, samples } of rows)
    for (const [name, measured] of samples) lines.push([scenario, name, ...COLUMNS.map(([, text]) => text(measured))]);
  console.log(table(lines));
}

function comparisons({ scenario, samples }: Row): string[][] {
  const [first, ...peers] = samples;
  if (first === undefined) return [];
  const [, ours] = first;
  return peers.map(([name, theirs]) => {
    const rate = ratioOf(ours.map(rateOf), theirs.map(rateOf));
    const cpu = ratioOf(ours.map(cpuOf), theirs.map(cpuOf));
    return [`  ${scenario}`, `beside ${name}`, `${rate} per second`, cpu === '-' ? '' : `${cpu} cpu`];
  });
}

function rateOf(sample: Sample): number {
  return sample.perSecond;
}

function cpuOf(sample: Sample): number {
  return sample.cpuMs ?? 0;
}

/** Lines of cells in columns as wide as their widest; the first line is as long as any. */
export function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
