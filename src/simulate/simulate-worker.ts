import { parentPort } from 'node:worker_threads';
import { messageOf } from '../platform/errors.ts';
import { type SimulationTask, simulateApart } from './simulate-apart.ts';

/** Runs in a worker thread, so that pulls are answered meanwhile: one simulation over connections of its own. */
parentPort?.on('message', ({ id, task }: { readonly id: number; readonly task: SimulationTask }) => {
  simulateApart(task).then(
    (result) => parentPort?.postMessage({ id, result }),
    (error: unknown) => parentPort?.postMessage({ id, error: messageOf(error) }),
  );
});
