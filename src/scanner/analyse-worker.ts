import { parentPort } from 'node:worker_threads';
import { messageOf } from '../platform/errors.ts';
import { analyseLayer } from './analyse-layer.ts';
import type { AnalysisTask } from './analyser.ts';

/** Runs in a worker thread: reads one layer from a file and gives its evidence. */
parentPort?.on('message', (message: { readonly id: number; readonly task: AnalysisTask }) => {
  const { id, task } = message;
  void (async () => {
    try {
      const { path, ...options } = task;
      const result = await analyseLayer({ path }, options);
      parentPort?.postMessage({ id, result });
    } catch (error) {
      parentPort?.postMessage({ id, error: messageOf(error) });
    }
  })();
});
