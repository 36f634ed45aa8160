import { median, plain, type Row, ratiosOf, type Sample } from '../figures.ts';

/** What a row must reach. `ratio` is ours to Gatekeeper's in operations a second. */
export interface Goal {
  readonly ratio?: number;
  readonly p99Ms?: number;
  readonly cpuMs?: number;
  readonly peakMB?: number;
}

/** One line for each goal: what was reached, and whether that is enough. The median of the rounds decides. */
export function goalLines({ scenario, samples }: Row, goal: Goal): string[][] {
  const [ours = [], theirs = []] = ['Breakwater', 'Gatekeeper'].map((name) => samples.get(name));
  const lines: string[][] = [];
  if (goal.ratio !== undefined) {
    const ratios = ratiosOf(
      ours.map(({ perSecond }) => perSecond),
      theirs.map(({ perSecond }) => perSecond),
    );
    lines.push(lineOf(scenario, 'as many as Gatekeeper', ratios, 'x', goal.ratio, 'least'));
  }
  for (const [what, key, unit] of [
    ['p99', 'p99Ms', ' ms'],
    ['cpu each', 'cpuMs', ' ms'],
    ['peak memory', 'peakMB', ' MB'],
  ] as const) {
    const wanted = goal[key];
    if (wanted !== undefined) lines.push(lineOf(scenario, what, valuesOf(ours, key), unit, wanted, 'most'));
  }
  return lines;
}

/** `[scenario, what, "5.1x (4.9-5.3)", "goal ≥ 5x", "met"]`. */
export function lineOf(
  scenario: string,
  what: string,
  values: readonly number[],
  unit: string,
  wanted: number,
  bound: 'least' | 'most',
): string[] {
  if (values.length === 0) return [scenario, what, 'not measured', '', ''];
  const middle = median(values);
  const met = bound === 'least' ? middle >= wanted : middle <= wanted;
  const found = `${plain(middle)}${unit} (${plain(Math.min(...values))}-${plain(Math.max(...values))})`;
  return [scenario, what, found, `goal ${bound === 'least' ? '≥' : '≤'} ${wanted}${unit}`, met ? 'met' : 'MISSED'];
}

function valuesOf(samples: readonly Sample[], key: 'p99Ms' | 'cpuMs' | 'peakMB'): number[] {
  return samples.flatMap((sample) => sample[key] ?? []);
}
