import { messageOf } from '../../platform/errors.ts';
import { fieldAt, textAt } from '../../platform/json-object.ts';
import { GatorError } from '../errors.ts';
import { goJson } from '../go-text.ts';

import { readYaml } from '../yaml/read.ts';
import { writeYaml } from '../yaml/write.ts';
import { shortBytes, shortDuration } from './duration.ts';
import type { BenchResults } from './results.ts';

interface MetricComparison {
  readonly name: string;
  readonly baseline: number;
  readonly current: number;
  /** Percent. */
  readonly delta: number;
  readonly passed: boolean;
}

/** The text of a baseline file: results with durations in nanoseconds, as gator keeps them. */
export function baselineText(path: string, results: BenchResults): string {
  const kept = { ...results, referentialDataSupported: false };
  return isYaml(path) ? writeYaml('v2', [JSON.parse(JSON.stringify(kept))]) : goJson([kept], '  ');
}

function isYaml(path: string): boolean {
  return /\.ya?ml$/.test(path);
}

/** What a baseline file says about this engine; undefined when it is about others. Throws `GatorError`. */
export function readBaseline(path: string, text: string, engine: string): unknown {
  let all: unknown;
  try {
    all = isYaml(path) ? readYaml('v2', text) : JSON.parse(text);
  } catch (cause) {
    throw new GatorError('yaml_invalid', `loading baseline: unmarshaling baseline: ${messageOf(cause)}`, { cause });
  }
  if (!Array.isArray(all)) throw new GatorError('yaml_invalid', 'loading baseline: it is no list of results');
  return all.find((one) => textAt(one, 'engine') === engine);
}

export interface Comparison {
  readonly metrics: readonly MetricComparison[];
  readonly failed: readonly string[];
}

/**
 * Compares with a baseline. A latency is worse when it grew by more than `threshold` percent, and by more than
 * `minThreshold` nanoseconds where that is set; a throughput when it fell as much.
 */
export function compare(baseline: unknown, current: BenchResults, threshold: number, minThreshold: number): Comparison {
  const at = (...path: readonly string[]) => Number(fieldAt(baseline, ...path) ?? 0);
  const latency = (name: string, key: keyof BenchResults['latencies']): MetricComparison => {
    const [before, now] = [at('latencies', key), current.latencies[key]];
    const delta = deltaOf(before, now);
    const passed = delta <= threshold || (minThreshold > 0 && now - before < minThreshold);
    return { name, baseline: before, current: now, delta, passed };
  };
  const before = at('reviewsPerSecond');
  const delta = deltaOf(before, current.reviewsPerSecond);
  const mean = at('latencies', 'mean');
  const tolerated = minThreshold > 0 && mean > 0 ? before * (minThreshold / mean) : 0;
  const metrics: MetricComparison[] = [
    latency('P50 Latency', 'p50'),
    latency('P95 Latency', 'p95'),
    latency('P99 Latency', 'p99'),
    latency('Mean Latency', 'mean'),
    {
      name: 'Throughput',
      baseline: before,
      current: current.reviewsPerSecond,
      delta,
      passed: -delta <= threshold || before - current.reviewsPerSecond < tolerated,
    },
  ];
  if (current.memoryStats && fieldAt(baseline, 'memoryStats') !== undefined) {
    const [was, is] = [at('memoryStats', 'bytesPerReview'), current.memoryStats.bytesPerReview];
    const grown = deltaOf(was, is);
    metrics.push({ name: 'Bytes/Review', baseline: was, current: is, delta: grown, passed: grown <= threshold });
  }
  return { metrics, failed: metrics.filter(({ passed }) => !passed).map(({ name }) => name) };
}

function deltaOf(baseline: number, current: number): number {
  if (baseline === 0) return current === 0 ? 0 : 100;
  return ((current - baseline) / baseline) * 100;
}

/** The comparison as gator prints it. */
export function formatComparison({ metrics, failed }: Comparison, engine: string, threshold: number): string {
  const rows = [
    ['Metric', 'Baseline', 'Current', 'Delta', 'Status'],
    ['------', '--------', '-------', '-----', '------'],
    ...metrics.map((metric) => [
      metric.name,
      shown(metric.name, metric.baseline),
      shown(metric.name, metric.current),
      `${metric.delta < 0 ? '' : '+'}${metric.delta.toFixed(1)}%`,
      metric.passed ? '✓' : '✗ REGRESSION',
    ]),
  ];
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length))) ?? [];
  const lines = rows.map((row) =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd((widths[at] ?? 0) + 2))).join(''),
  );
  const limit = `threshold: ${threshold.toFixed(1)}%`;
  const verdict =
    failed.length === 0
      ? `✓ No significant regressions (${limit})`
      : `✗ Regressions detected in: ${failed.join(', ')} (${limit})`;
  return `=== Baseline Comparison: ${engine.toUpperCase()} Engine ===\n\n${lines.join('\n')}\n\n${verdict}\n`;
}

function shown(name: string, value: number): string {
  if (name.includes('Latency')) return shortDuration(value);
  if (name.includes('Bytes')) return shortBytes(value);
  return `${value.toFixed(2)}/sec`;
}
