import { Worker } from 'node:worker_threads';
import { CodedError } from './errors.ts';

export class WorkerError extends CodedError<'worker_died' | 'worker_late' | 'worker_memory' | 'pool_closed'> {}

export interface WorkerPoolOptions {
  /** Module that answers each message `{ id, task }` with `{ id, result }` or `{ id, error }`. */
  readonly module: URL;
  readonly size: number;
  /** Heap of one worker, and as much again for its buffers, which lie outside of that; beyond it the worker dies alone. */
  readonly memoryMb: number;
  /** Part of the heap for what was made a moment ago; larger for work that makes much and keeps little of it. */
  readonly youngMb?: number;
  /** A task that takes longer is given up with its worker. */
  readonly timeoutMs: number;
}

export interface WorkerPool<Task, Result> {
  /** Runs a task in the next free worker. Throws `WorkerError`, or an Error with the message of what the task threw. */
  run(task: Task): Promise<Result>;
  /** Lets what runs end, then stops the workers. */
  close(): Promise<void>;
}

interface Pending<Task, Result> {
  readonly task: Task;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

type Reply<Result> = { readonly id: number; readonly result: Result } | { readonly id: number; readonly error: string };

/** How often the buffers of a busy worker are looked at. */
const WATCH_MS = 100;
const MB = 1024 * 1024;

/** Worker threads for work on hostile bytes: one that runs out of memory or time is replaced, the others go on. */
export function createWorkerPool<Task, Result>(options: WorkerPoolOptions): WorkerPool<Task, Result> {
  const waiting: Pending<Task, Result>[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Pending<Task, Result>>();
  let closed = false;
  let settled: (() => void) | undefined;
  let sequence = 0;

  function next(): void {
    if (closed && waiting.length === 0 && busy.size === 0) settled?.();
    while (waiting.length > 0) {
      const worker = idle.pop() ?? (busy.size < options.size ? start() : undefined);
      const pending = worker && waiting.shift();
      if (!worker || !pending) return;
      dispatch(worker, pending);
    }
  }

  function start(): Worker {
    const worker = new Worker(options.module, {
      resourceLimits: {
        maxOldGenerationSizeMb: options.memoryMb,
        ...(options.youngMb === undefined ? {} : { maxYoungGenerationSizeMb: options.youngMb }),
      },
      // What hostile bytes are parsed in has no business knowing our secrets.
      env: {},
    });
    worker.unref();
    // A worker may die of what it did before while it waits for work.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
    });
    return worker;
  }

  function dispatch(worker: Worker, pending: Pending<Task, Result>): void {
    sequence += 1;
    const id = sequence;
    busy.set(worker, pending);
    worker.ref();
    const timer = setTimeout(() => {
      finish(
        () => pending.reject(new WorkerError('worker_late', `it took longer than ${options.timeoutMs / 1000} s`)),
        false,
      );
    }, options.timeoutMs);
    const watch = setInterval(() => {
      void watchBuffers();
    }, WATCH_MS);
    async function watchBuffers(): Promise<void> {
      if ((await buffersOf(worker)) > options.memoryMb * MB) finish(() => pending.reject(tooMuchMemory()), false);
    }
    const onMessage = (reply: Reply<Result>) => {
      if (reply.id !== id) return;
      finish(() => ('error' in reply ? pending.reject(new Error(reply.error)) : pending.resolve(reply.result)), true);
    };
    const onError = (error: unknown) =>
      finish(() => pending.reject(isOutOfMemory(error) ? tooMuchMemory(error) : died(error)), false);
    const onExit = (code: number) =>
      finish(() => pending.reject(new WorkerError('worker_died', `the worker ended with code ${code}`)), false);

    function finish(report: () => void, reusable: boolean): void {
      if (busy.get(worker) !== pending) return;
      clearTimeout(timer);
      clearInterval(watch);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      busy.delete(worker);
      worker.unref();
      if (reusable) idle.push(worker);
      else void worker.terminate();
      report();
      next();
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage({ id, task: pending.task });
  }

  function tooMuchMemory(cause?: unknown): WorkerError {
    return new WorkerError('worker_memory', `it needed more than ${options.memoryMb} MB of memory`, { cause });
  }

  return {
    run(task) {
      if (closed) return Promise.reject(new WorkerError('pool_closed', 'the program is stopping'));
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ task, resolve, reject });
        next();
      });
    },
    async close() {
      closed = true;
      if (busy.size + waiting.length > 0) {
        await new Promise<void>((resolve) => {
          settled = resolve;
        });
      }
      await Promise.all(idle.splice(0).map((worker) => worker.terminate()));
    },
  };
}

/** Bytes outside of the heap that a worker holds: its resource limits do not count them. None of one that is gone. */
async function buffersOf(worker: Worker): Promise<number> {
  try {
    return (await worker.getHeapStatistics()).external_memory;
  } catch {
    return 0;
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function died(cause: unknown): WorkerError {
  return new WorkerError('worker_died', 'the worker died', { cause });
}
