import { goJson } from '../go-text.ts';
import { Struct, writeYaml } from '../yaml/write.ts';
import { goDuration, shortBytes, shortDuration } from './duration.ts';

/** What a benchmark found; times in nanoseconds. The fields are gator's, so that its baselines can be read. */
export interface BenchResults {
  readonly engine: string;
  readonly templateCount: number;
  readonly constraintCount: number;
  readonly objectCount: number;
  readonly iterations: number;
  readonly concurrency: number;
  readonly setupDuration: number;
  readonly setupBreakdown: SetupBreakdown;
  readonly totalDuration: number;
  readonly latencies: Latencies;
  readonly violationCount: number;
  readonly reviewsPerSecond: number;
  /** Only with `--memory`; allocations are not counted here. */
  readonly memoryStats?: { readonly bytesPerReview: number; readonly totalBytes: number } | undefined;
  /** Constraints whose template was not among the input. */
  readonly skippedConstraints: readonly string[];
}

export interface SetupBreakdown {
  readonly clientCreation: number;
  readonly templateCompilation: number;
  readonly constraintLoading: number;
  readonly dataLoading: number;
}

export interface Latencies {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** The figures of some durations, sorted here; between two ranks they are interpolated, as gator does. */
export function latenciesOf(durations: Float64Array): Latencies {
  if (durations.length === 0) return { min: 0, max: 0, mean: 0, p50: 0, p95: 0, p99: 0 };
  const sorted = durations.toSorted();
  const at = (percent: number) => {
    const rank = (percent / 100) * (sorted.length - 1);
    const lower = Math.floor(rank);
    const [one = 0, two = one] = [sorted[lower], sorted[lower + 1]];
    return one + (two - one) * (rank - lower);
  };
  const sum = sorted.reduce((total, one) => total + one, 0);
  return {
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    mean: sum / sorted.length,
    p50: at(50),
    p95: at(95),
    p99: at(99),
  };
}

export type BenchOutput = 'table' | 'json' | 'yaml';

/** Results in one of gator's three forms. */
export function formatBench(output: BenchOutput, results: BenchResults): string {
  if (output === 'table') return tableOf(results);
  const fields = jsonFields(results);
  return output === 'yaml' ? writeYaml('v3', [struct(fields)]) : `[\n  ${jsonObject(fields, '  ')}\n]`;
}

type Fields = readonly (readonly [name: string, value: unknown])[];

function durations(value: object): Fields {
  return Object.entries(value).map(([name, one]) => [name, goDuration(Number(one))]);
}

function jsonFields(results: BenchResults): Fields {
  const { setupBreakdown: setup, latencies, memoryStats } = results;
  return [
    ['engine', results.engine],
    ['templateCount', results.templateCount],
    ['constraintCount', results.constraintCount],
    ['objectCount', results.objectCount],
    ['iterations', results.iterations],
    ['concurrency', results.concurrency],
    ['totalReviews', results.iterations * results.objectCount],
    ['setupDuration', goDuration(results.setupDuration)],
    ['setupBreakdown', durations(setup)],
    ['totalDuration', goDuration(results.totalDuration)],
    ['latencies', durations(latencies)],
    ['violationCount', results.violationCount],
    ['reviewsPerSecond', results.reviewsPerSecond],
    ...(memoryStats
      ? [
          [
            'memoryStats',
            [
              ['bytesPerReview', shortBytes(memoryStats.bytesPerReview)],
              ['totalBytes', shortBytes(memoryStats.totalBytes)],
            ],
          ] as const,
        ]
      : []),
    ...(results.skippedConstraints.length > 0 ? [['skippedConstraints', results.skippedConstraints] as const] : []),
    ['referentialDataSupported', false],
  ];
}

/** A list of pairs is an object whose fields keep their order. */
function isFields(value: unknown): value is Fields {
  return Array.isArray(value) && value.every((one) => Array.isArray(one));
}

function struct(fields: Fields): Struct {
  return new Struct(fields.map(([name, value]) => [name, isFields(value) ? struct(value) : value]));
}

function jsonObject(fields: Fields, before: string): string {
  const inner = `${before}  `;
  const lines = fields.map(
    ([name, value]) => `${inner}"${name}": ${isFields(value) ? jsonObject(value, inner) : goJson(value, '  ', inner)}`,
  );
  return `{\n${lines.join(',\n')}\n${before}}`;
}

type Row = readonly [name: string, value?: string];

function tableOf(results: BenchResults): string {
  const { latencies, setupBreakdown: setup, memoryStats, skippedConstraints: skipped } = results;
  const sections: (readonly Row[])[] = [
    [
      ['Configuration:'],
      ['  Templates:', String(results.templateCount)],
      ['  Constraints:', String(results.constraintCount)],
      ['  Objects:', String(results.objectCount)],
      ['  Iterations:', String(results.iterations)],
      ...(results.concurrency > 1 ? [['  Concurrency:', String(results.concurrency)] as const] : []),
      ['  Total Reviews:', String(results.iterations * results.objectCount)],
    ],
    ...(skipped.length > 0
      ? [[['Warnings:'], ['  Skipped Constraints:', `${skipped.length} (${skipped.join(', ')})`]] as const]
      : []),
    [
      ['Timing:'],
      ['  Setup Duration:', shortDuration(results.setupDuration)],
      ['    └─ Client Creation:', shortDuration(setup.clientCreation)],
      ['    └─ Template Compilation:', shortDuration(setup.templateCompilation)],
      ['    └─ Constraint Loading:', shortDuration(setup.constraintLoading)],
      ['    └─ Data Loading:', shortDuration(setup.dataLoading)],
      ['  Total Duration:', shortDuration(results.totalDuration)],
      ['  Throughput:', `${results.reviewsPerSecond.toFixed(2)} reviews/sec`],
    ],
    [
      ['Latency (per review):'],
      ['  Min:', shortDuration(latencies.min)],
      ['  Max:', shortDuration(latencies.max)],
      ['  Mean:', shortDuration(latencies.mean)],
      ['  P50:', shortDuration(latencies.p50)],
      ['  P95:', shortDuration(latencies.p95)],
      ['  P99:', shortDuration(latencies.p99)],
    ],
    [['Results:'], ['  Violations Found:', String(results.violationCount)]],
    ...(memoryStats
      ? [
          [
            ['Memory:'],
            ['  Bytes/Review:', shortBytes(memoryStats.bytesPerReview)],
            ['  Total Bytes:', shortBytes(memoryStats.totalBytes)],
          ] as const,
        ]
      : []),
  ];
  const body = sections.map(aligned).join('\n\n');
  return `=== Benchmark Results: ${results.engine.toUpperCase()} Engine ===\n\n${body}\n`;
}

const lengthOf = (text: string): number => Array.from(text).length;

/** Rows in two columns, as wide as the longest name of the section. */
function aligned(rows: readonly Row[]): string {
  const named = rows.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...named.map(([name]) => lengthOf(name))) + 2;
  return rows
    .map(([name, value]) => (value === undefined ? name : name + ' '.repeat(width - lengthOf(name)) + value))
    .join('\n');
}
