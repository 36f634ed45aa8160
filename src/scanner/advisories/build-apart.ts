import { rmSync } from 'node:fs';
import { createWorkerPool, type TaskCause, WorkerError } from '../../platform/worker-pool.ts';
import { FeedError } from '../feeds/errors.ts';
import type { BuildOptions, BuildProgress, BuildReport } from './build.ts';
import { AdvisoryDatabaseError } from './errors.ts';
import { leftovers } from './leftovers.ts';

/** What a build in a process of its own is told. */
export interface BuildTask extends Omit<BuildOptions, 'clock' | 'onProgress'> {
  /** Epoch ms that counts as now. */
  readonly now: number;
}

/** Heap of the process. What a build really holds at once is a fraction; more would be garbage that waits to be collected. */
const MEMORY_MB = 128;
const YOUNG_MB = 16;
const TIMEOUT_MS = 24 * 3_600_000;

/**
 * Builds a database as `buildAdvisoryDatabase` does, in a process of its own: the caller goes on, and the memory of the build is
 * bounded whatever the feeds hold. Throws the same errors; a build that needs more memory is an
 * `AdvisoryDatabaseError`, and so is one that `signal` ended.
 */
export async function buildApart(
  { clock, onProgress, ...options }: BuildOptions,
  signal?: AbortSignal,
): Promise<BuildReport> {
  const task: BuildTask = { ...options, now: clock.now() };
  const pool = createWorkerPool<BuildTask, BuildReport>({
    module: new URL('./build-worker.ts', import.meta.url),
    size: 1,
    memoryMb: MEMORY_MB,
    youngMb: YOUNG_MB,
    timeoutMs: TIMEOUT_MS,
  });
  const built = pool.run(task, {
    onProgress: (progress) => onProgress?.(progress as BuildProgress),
    ...(signal ? { signal } : {}),
  });
  const [result] = await Promise.allSettled([built]);
  // What was killed may write until it is gone.
  await pool.close();
  if (result.status === 'rejected') throw errorOf(result.reason, options.out);
  return result.value;
}

/** The error as the build itself throws it; of a build that did not get so far the parts are cleared away. */
function errorOf(error: unknown, out: string): unknown {
  if (!(error instanceof WorkerError)) return error;
  const { message, cause } = error;
  if (error.code !== 'task_failed') {
    for (const part of leftovers(out)) rmSync(part, { force: true });
    return new AdvisoryDatabaseError('build_died', `the build of ${out} died: ${message}`, { cause });
  }
  const { name, code } = cause as TaskCause;
  if (name === 'FeedError') return new FeedError(code as FeedError['code'], message);
  if (name === 'AdvisoryDatabaseError')
    return new AdvisoryDatabaseError(code as AdvisoryDatabaseError['code'], message);
  return new Error(message);
}
