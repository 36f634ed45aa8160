import { messageOf } from '../../platform/errors.ts';
import { createWorkerPool } from '../../platform/worker-pool.ts';
import { GatorError } from '../errors.ts';
import type { Unstructured } from '../object.ts';
import { type BenchTask, expectInput, type Measured, measure, summarise } from './measure.ts';
import type { BenchResults } from './results.ts';

export interface BenchOptions {
  readonly iterations: number;
  readonly warmup: number;
  /** Processes that judge side by side. */
  readonly concurrency: number;
  readonly memory: boolean;
}

const HEAP_MB = 2048;
const YOUNG_MB = 48;
const LONGEST_MS = 24 * 3_600_000;

/** Measures the engine on some templates, constraints and objects. Throws `GatorError`. */
export async function runBench(objects: readonly Unstructured[], options: BenchOptions): Promise<BenchResults> {
  expectInput(objects);
  const { iterations, warmup, concurrency } = options;
  if (concurrency === 1) {
    const measured = measure({ objects, iterations, warmup });
    return summarise(objects, options, [measured], measured.elapsed);
  }
  const shares = Array.from({ length: concurrency }, (_, at) => Math.floor((iterations + at) / concurrency));
  const pool = createWorkerPool<BenchTask, Measured>({
    module: new URL('./measure-worker.ts', import.meta.url),
    size: concurrency,
    memoryMb: HEAP_MB,
    youngMb: YOUNG_MB,
    timeoutMs: LONGEST_MS,
  });
  try {
    const parts = await Promise.all(
      shares.map((share) => pool.run({ objects, iterations: share, warmup: Math.ceil(warmup / concurrency) })),
    );
    return summarise(objects, options, parts, Math.max(...parts.map(({ elapsed }) => elapsed)));
  } catch (cause) {
    throw new GatorError('review_failed', messageOf(cause), { cause });
  } finally {
    await pool.close();
  }
}
