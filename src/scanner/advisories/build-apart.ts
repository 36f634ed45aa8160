import { Worker } from 'node:worker_threads';
import { messageOf } from '../../platform/errors.ts';
import { FeedError } from '../feeds/errors.ts';
import { type BuildOptions, type BuildProgress, type BuildReport } from './build.ts';
import { AdvisoryDatabaseError } from './errors.ts';

/** What a build in a thread of its own is told. */
export interface BuildTask extends Omit<BuildOptions, 'clock' | 'onProgress'> {
  /** Epoch ms that counts as now. */
  readonly now: number;
}

export type WorkerMessage =
  | { readonly kind: 'progress'; readonly progress: BuildProgress }
  | { readonly kind: 'done'; readonly report: BuildReport }
  | { readonly kind: 'failed'; readonly message: string; readonly name?: string; readonly code?: string };

/** Heap of the thread. What a build really holds at once is a fraction; more would be garbage that waits to be collected. */
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 };

/**
 * Builds a database as `buildAdvisoryDatabase` does, in a thread of its own: the caller goes on, and the memory of the build is
 * bounded whatever the feeds hold. Throws the same errors; a build that needs more memory is an
 * `AdvisoryDatabaseError`, and so is one that `signal` ended.
 */
export function buildApart(
  { clock, onProgress, ...options }: BuildOptions,
  signal?: AbortSignal,
): Promise<BuildReport> {
  const task: BuildTask = { ...options, now: clock.now() };
  const worker = new Worker(new URL('./build-worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: LIMITS,
    // What hostile bytes are parsed in has no business knowing our secrets.
    env: {},
  });
  signal?.addEventListener('abort', () => void worker.terminate(), { once: true });
  return new Promise((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'progress') onProgress?.(message.progress);
      else if (message.kind === 'done') resolve(message.report);
      else reject(errorOf(message));
    });
    worker.on('error', (cause: unknown) => {
      const starved = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
      const why = starved ? 'it needs more memory' : messageOf(cause);
      reject(new AdvisoryDatabaseError('build_died', `the build of ${options.out} died: ${why}`, { cause }));
    });
    worker.on('exit', () => {
      reject(new AdvisoryDatabaseError('build_died', `the build of ${options.out} ended without a word`));
    });
  });
}

function errorOf({ message, name, code }: Extract<WorkerMessage, { kind: 'failed' }>): Error {
  if (name === 'FeedError') return new FeedError(code as FeedError['code'], message);
  if (name === 'AdvisoryDatabaseError')
    return new AdvisoryDatabaseError(code as AdvisoryDatabaseError['code'], message);
  return new Error(message);
}
