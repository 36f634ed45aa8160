import { parentPort, workerData } from 'node:worker_threads';
import { fixedClock } from '../../platform/clock.ts';
import { CodedError, messageOf } from '../../platform/errors.ts';
import { buildAdvisoryDatabase } from './build.ts';
import type { BuildTask, WorkerMessage } from './build-apart.ts';

/** Builds one database as `workerData` says and tells the parent how it goes. */
async function run({ now, ...options }: BuildTask): Promise<WorkerMessage> {
  try {
    const report = await buildAdvisoryDatabase({
      ...options,
      clock: fixedClock(now),
      onProgress: (progress) => tell({ kind: 'progress', progress }),
    });
    return { kind: 'done', report };
  } catch (error) {
    const coded = error instanceof CodedError ? { name: error.name, code: String(error.code) } : {};
    return { kind: 'failed', message: messageOf(error), ...coded };
  }
}

function tell(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

tell(await run(workerData as BuildTask));
