import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../platform/errors.ts';
import { type BenchTask, measure } from './measure.ts';

/** One thread of a benchmark: see `WorkerPoolOptions.module`. */
parentPort?.on('message', ({ id, task }: { readonly id: number; readonly task: BenchTask }) => {
  try {
    parentPort?.postMessage({ id, result: measure(task) });
  } catch (error) {
    parentPort?.postMessage({ id, error: messageOf(error) });
  }
});
