import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { CodedError, messageOf } from './errors.ts';

export type Reply =
  | { readonly id: number; readonly kind: 'result'; readonly result: unknown }
  | { readonly id: number; readonly kind: 'progress'; readonly progress: unknown }
  | {
      readonly id: number;
      readonly kind: 'error';
      readonly message: string;
      readonly name?: string;
      readonly code?: string;
    };

/** Ends the process within a second when its parent is gone: a thread sees that also while the process goes round in a loop. */
const watchOf = (parent: number) =>
  `setInterval(() => process.ppid === ${parent} || process.kill(process.pid, 'SIGKILL'), 1000);`;
/** More than it needs; little enough to cost nothing. */
const OF_WATCH = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

/** Makes this process a worker of a pool: answers every task with what `run` gives or throws, and ends with the pool. */
export function answerTasks(run: (task: never, tell: (progress: unknown) => void) => unknown): void {
  giveWay();
  // An interrupt at a terminal reaches all; the pool says when its workers end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
  process.once('disconnect', () => process.exit());
  new Worker(watchOf(process.ppid), { eval: true, execArgv: [], env: {}, resourceLimits: OF_WATCH }).unref();
  process.on('message', ({ id, task }: { readonly id: number; readonly task: never }) => {
    void answer(id, () => run(task, (progress) => reply({ id, kind: 'progress', progress }))).then(reply);
  });
}

async function answer(id: number, run: () => unknown): Promise<Reply> {
  try {
    return { id, kind: 'result', result: await run() };
  } catch (error) {
    const coded = error instanceof CodedError ? { name: error.name, code: String(error.code) } : {};
    return { id, kind: 'error', message: messageOf(error), ...coded };
  }
}

function reply(message: Reply): void {
  // Who is to hear it may be gone.
  process.send?.(message, undefined, undefined, () => undefined);
}

/** When memory is short, Linux is to end the worker and not the server; what it held is not worth a core file. */
function giveWay(): void {
  for (const [file, value] of [
    ['oom_score_adj', '1000'],
    ['coredump_filter', '0'],
  ] as const) {
    try {
      writeFileSync(`/proc/self/${file}`, value);
    } catch {
      // No Linux, or it does not let us.
    }
  }
}
