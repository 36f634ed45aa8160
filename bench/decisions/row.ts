import { median } from '../figures.ts';
import type { World } from './world.ts';

/** One figure of one round. */
export interface Figure {
  /** What was measured, the same in every round. */
  readonly what: string;
  readonly value: number;
  readonly unit: 's' | 'ms' | 'MB' | '×' | '%';
  /** The figure must stay below; absent where it is only told. */
  readonly goal?: number;
}

/** A row of the table: something that is measured in a world, round after round. */
export interface Row {
  readonly name: string;
  measure(world: World, round: number): Promise<readonly Figure[]>;
  /** Lines about what was slow in all rounds. */
  slowest?(): readonly string[];
}

/** The value that is larger than this part of the others. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Figures of all rounds as lines of a table: median, spread, goal, and whether it is met. */
export function tableOf(rounds: readonly (readonly Figure[])[]): string[][] {
  const byWhat = Map.groupBy(rounds.flat(), ({ what }) => what);
  return [...byWhat].map(([what, figures]) => {
    const values = figures.map(({ value }) => value);
    const { unit, goal } = figures[0] ?? { unit: 'ms', goal: undefined };
    const middle = median(values);
    return [
      what,
      `${plain(middle)} ${unit}`,
      `${plain(Math.min(...values))}-${plain(Math.max(...values))}`,
      String(values.length),
      goal === undefined ? '' : `< ${goal} ${unit}`,
      goal === undefined ? '' : middle < goal ? 'met' : 'MISSED',
    ];
  });
}

function plain(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
