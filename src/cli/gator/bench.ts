import { readFile, writeFile } from 'node:fs/promises';
import { baselineText, compare, formatComparison, readBaseline } from '../../gator/bench/compare.ts';
import { parseGoDuration } from '../../gator/bench/duration.ts';
import { ENGINE } from '../../gator/bench/measure.ts';
import { type BenchOutput, type BenchResults, formatBench } from '../../gator/bench/results.ts';
import { runBench } from '../../gator/bench/run.ts';
import { GatorError } from '../../gator/errors.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';
import { endingAsGator } from './ending.ts';
import { readSources } from './test.ts';

export interface BenchCommandOptions {
  readonly filename: readonly string[];
  readonly engine: string;
  readonly iterations: number;
  readonly warmup: number;
  readonly concurrency: number;
  readonly output: string;
  readonly memory: boolean;
  readonly save: string;
  readonly compare: string;
  readonly threshold: number;
  readonly minThreshold: string;
}

/** Whatever name gator has for an engine of Rego means ours, so that its command lines can be kept. */
const ENGINES: ReadonlySet<string> = new Set([ENGINE, 'rego', 'all']);
/** Fewer do not make a 99th percentile. */
const FEW_ITERATIONS = 1000;

/** Measures the engine on what the files hold and prints it in gator's forms. */
export async function bench(cli: Cli, options: BenchCommandOptions): Promise<void> {
  await endingAsGator(cli, async () => {
    const output = outputOf(options.output);
    const minThreshold = parseGoDuration(options.minThreshold);
    expectOptions(options, minThreshold);
    const baseline = options.compare === '' ? undefined : await baselineOf(options.compare);
    if (options.warmup > options.iterations) {
      cli.note(
        `Warning: warmup (${options.warmup}) exceeds iterations (${options.iterations}). Consider reducing warmup.\n`,
      );
    }
    if (options.iterations < FEW_ITERATIONS) {
      cli.note(
        `Warning: ${options.iterations} iterations may not provide statistically meaningful P99 metrics. Consider using at least ${FEW_ITERATIONS} iterations.\n`,
      );
    }
    const results = await runBench(await readSources(cli, options.filename), options);
    cli.output.write(formatBench(output, results));
    if (options.save !== '') {
      await writeFile(options.save, baselineText(options.save, results), { mode: 0o600 });
      cli.note(`\nResults saved to: ${options.save}`);
    }
    if (baseline !== undefined) compareWith(cli, options, baseline, results, minThreshold ?? 0);
  });
}

function outputOf(text: string): BenchOutput {
  const output = text.toLowerCase() || 'table';
  if (output === 'table' || output === 'json' || output === 'yaml') return output;
  throw wrong(`invalid output format: invalid output format: "${text}" (valid: table, json, yaml)`);
}

function expectOptions(options: BenchCommandOptions, minThreshold: number | undefined): void {
  if (!ENGINES.has(options.engine.toLowerCase())) {
    throw wrong(`invalid engine: "${options.engine}" is not here; the only engine is ${ENGINE}, for templates of Rego`);
  }
  if (options.filename.length === 0) throw wrong('at least one --filename must be specified');
  if (options.iterations <= 0) throw wrong('iterations must be positive');
  if (options.concurrency < 1) throw wrong('concurrency must be at least 1');
  if (minThreshold === undefined)
    throw wrong(`min-threshold "${options.minThreshold}" is no duration; write 1ms or 500us`);
}

function wrong(message: string): GatorError {
  return new GatorError('input_unreadable', message);
}

async function baselineOf(path: string): Promise<{ readonly value: unknown }> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new GatorError('input_unreadable', `cannot access baseline file: ${messageOf(cause)}`, { cause });
  });
  return { value: readBaseline(path, text, ENGINE) };
}

function compareWith(
  cli: Cli,
  { threshold }: BenchCommandOptions,
  baseline: { readonly value: unknown },
  results: BenchResults,
  minThreshold: number,
): void {
  if (baseline.value === undefined) {
    cli.note('\nWarning: No matching engines found for comparison');
    return;
  }
  const comparison = compare(baseline.value, results, threshold, minThreshold);
  cli.output.write(`\n${formatComparison(comparison, ENGINE, threshold)}`);
  if (comparison.failed.length > 0) cli.exitWith(EXIT.negative);
}
