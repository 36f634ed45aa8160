import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { constants, getPriority, setPriority, tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reply } from './answer-tasks.ts';
import { CodedError, messageOf } from './errors.ts';
import { privateMemoryOf } from './private-memory.ts';

export class WorkerError extends CodedError<
  'worker_died' | 'worker_late' | 'worker_memory' | 'worker_absent' | 'task_failed' | 'task_ended' | 'pool_closed'
> {}

/** The cause of a `task_failed`: of which class what the task threw was, when it has a code. */
export interface TaskCause {
  readonly name: string | undefined;
  readonly code: string | undefined;
}

export interface WorkerPoolOptions {
  /** Module that calls `answerTasks`. */
  readonly module: URL;
  readonly size: number;
  /** Heap of one worker, and as much again for what lies beside it; beyond that it is ended. */
  readonly memoryMb: number;
  /** Part of the heap for what was made a moment ago; larger for work that makes much and keeps little of it. */
  readonly youngMb: number;
  /** Part of the heap for the rest that is filled before it is gone through for the first time; for work that keeps much. */
  readonly initialMb?: number;
  /** A task that takes longer is given up with its worker. */
  readonly timeoutMs: number;
  /** A worker without work for so long is ended; its memory goes back. */
  readonly idleMs?: number;
  /** Where processors are short, whoever serves requests goes first. */
  readonly givesWay?: boolean;
}

export interface RunOptions {
  /** Told what the task tells while it runs. */
  readonly onProgress?: (progress: unknown) => void;
  /** Work of a moment that somebody waits for: next, and when all are busy in one worker more. */
  readonly urgent?: boolean;
  /** Ends the task with its worker. */
  readonly signal?: AbortSignal;
}

export interface WorkerPool<Task, Result> {
  /** Runs a task in the next free worker. Throws `WorkerError`; that of a task that threw has its message, and a `TaskCause`. */
  run(task: Task, options?: RunOptions): Promise<Result>;
  /** Lets what runs end, then stops the workers. */
  close(): Promise<void>;
  /** Ends what runs and what waits, with `pool_closed`, and takes nothing more. */
  giveUp(): void;
}

interface Pending<Task, Result> extends RunOptions {
  readonly task: Task;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: WorkerError) => void;
}

interface PoolWorker {
  readonly process: ChildProcess;
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>;
  /** The begin of what it wrote before it died. */
  lastWords: string;
  retiring?: NodeJS.Timeout;
}

/** How often the memory of a busy worker is looked at. */
const WATCH_MS = 100;
const IDLE_MS = 60_000;
const LONGEST_WORDS = 4096;
/** How V8 says that a heap, or one thing in it, would be too large. */
const OUT_OF_MEMORY = /out of memory|heap limit|invalid (size|array length|table size)/i;
const MB = 1024 * 1024;
/** What a worker holds before it has done anything. */
const BASE_MB = 32;

/**
 * Worker processes for work on hostile bytes: one that runs out of memory or time is replaced, all others go on. Processes and no threads,
 * because V8 ends the whole process when the heap of a thread is full while something runs that it cannot interrupt, like `JSON.parse`.
 */
export function createWorkerPool<Task, Result>(options: WorkerPoolOptions): WorkerPool<Task, Result> {
  const { memoryMb, youngMb } = options;
  const largest = (2 * memoryMb + youngMb + BASE_MB) * MB;
  const waiting: Pending<Task, Result>[] = [];
  const workers = new Set<PoolWorker>();
  const idle: PoolWorker[] = [];
  const running = new Set<(error: WorkerError) => void>();
  let busy = 0;
  let closed = false;
  let settled: (() => void) | undefined;
  let sequence = 0;

  function next(): void {
    if (closed && waiting.length === 0 && busy === 0) settled?.();
    for (;;) {
      const [pending] = waiting;
      if (!pending || busy >= options.size + (pending.urgent ? 1 : 0)) return;
      waiting.shift();
      try {
        dispatch(rested() ?? start(), pending);
      } catch (error) {
        pending.reject(absent(error));
      }
    }
  }

  function rested(): PoolWorker | undefined {
    for (;;) {
      const worker = idle.pop();
      // One may have died while it waited.
      if (!worker || worker.process.connected) return worker;
    }
  }

  function start(): PoolWorker {
    const child = fork(fileURLToPath(options.module), {
      execArgv: [
        `--max-old-space-size=${memoryMb}`,
        // Two of three parts of it are halves that are filled in turn.
        `--max-semi-space-size=${Math.max(1, Math.floor(youngMb / 3))}`,
        ...(options.initialMb === undefined ? [] : [`--initial-old-space-size=${options.initialMb}`]),
      ],
      // What hostile bytes are parsed in has no business knowing our secrets.
      env: { TMPDIR: tmpdir(), ...compiledCode() },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    if (options.givesWay === true) lower(child);
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const worker: PoolWorker = { process: child, gone, lastWords: '' };
    workers.add(worker);
    child.stderr?.setEncoding('utf8').on('data', (words: string) => {
      worker.lastWords = (worker.lastWords + words).slice(0, LONGEST_WORDS);
    });
    const forget = () => {
      workers.delete(worker);
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
      clearTimeout(worker.retiring);
      resolve();
    };
    // One that could not be started has an error and no end.
    child.on('error', () => child.pid === undefined && forget()).on('close', forget);
    return worker;
  }

  function dispatch(worker: PoolWorker, pending: Pending<Task, Result>): void {
    const { process: child } = worker;
    sequence += 1;
    const id = sequence;
    let done = false;
    busy += 1;
    clearTimeout(worker.retiring);
    hold(worker);
    const timer = setTimeout(() => {
      end(new WorkerError('worker_late', `it took longer than ${options.timeoutMs / 1000} s`));
    }, options.timeoutMs);
    const watch = setInterval(() => {
      if (privateMemoryOf(child) > largest) end(tooMuchMemory());
    }, WATCH_MS);
    const onMessage = (reply: Reply) => {
      if (reply.id !== id) return;
      if (reply.kind === 'progress') pending.onProgress?.(reply.progress);
      else
        finish(
          () => (reply.kind === 'error' ? pending.reject(failed(reply)) : pending.resolve(reply.result as Result)),
          true,
        );
    };
    const onError = (error: Error) => end(child.pid === undefined ? absent(error) : died(messageOf(error)));
    const onClose = (code: number | null, signal: string | null) =>
      end(
        OUT_OF_MEMORY.test(worker.lastWords)
          ? tooMuchMemory(worker.lastWords)
          : died(signal ? `${signal} ended it` : `it ended with code ${code}`, worker.lastWords),
      );
    const onAbort = () => end(new WorkerError('task_ended', 'it was ended before it was done'));
    running.add(end);

    function end(error: WorkerError): void {
      finish(() => pending.reject(error), false);
    }

    function finish(report: () => void, reusable: boolean): void {
      if (done) return;
      done = true;
      running.delete(end);
      clearTimeout(timer);
      clearInterval(watch);
      child.off('message', onMessage).off('error', onError).off('close', onClose);
      pending.signal?.removeEventListener('abort', onAbort);
      busy -= 1;
      if (reusable && child.connected) rest(worker);
      else child.kill('SIGKILL');
      report();
      next();
    }
    child.on('message', onMessage).on('error', onError).on('close', onClose);
    pending.signal?.addEventListener('abort', onAbort);
    if (pending.signal?.aborted) onAbort();
    // Whoever is gone before it was told has an end that says why.
    else if (child.connected) child.send({ id, task: pending.task }, () => undefined);
  }

  function rest(worker: PoolWorker): void {
    idle.push(worker);
    release(worker);
    worker.retiring = setTimeout(() => retire(worker), options.idleMs ?? IDLE_MS).unref();
  }

  function retire(worker: PoolWorker): void {
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
    worker.process.kill('SIGKILL');
  }

  function tooMuchMemory(lastWords?: string): WorkerError {
    return new WorkerError('worker_memory', `it needed more than ${memoryMb} MB of memory`, { cause: lastWords });
  }

  return {
    run(task, runOptions = {}) {
      if (closed) return Promise.reject(stopping());
      return new Promise<Result>((resolve, reject) => {
        const pending = { ...runOptions, task, resolve, reject };
        if (runOptions.urgent) waiting.unshift(pending);
        else waiting.push(pending);
        next();
      });
    },
    async close() {
      closed = true;
      if (busy + waiting.length > 0) {
        await new Promise<void>((resolve) => {
          settled = resolve;
        });
      }
      for (const worker of workers) hold(worker);
      for (const worker of idle.splice(0)) retire(worker);
      await Promise.all([...workers].map(({ gone }) => gone));
    },
    giveUp() {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(stopping());
      for (const end of running) end(stopping());
    },
  };
}

/** Keeps this process alive for the worker; `release` lets go. */
function hold({ process: child }: PoolWorker): void {
  child.ref();
  child.channel?.ref();
}

function release({ process: child }: PoolWorker): void {
  child.unref();
  child.channel?.unref();
  // Its type says less than it is, a socket.
  (child.stderr as unknown as { unref(): void } | null)?.unref();
}

/** Workers start with what was compiled for those before them, where this process keeps such code. */
function compiledCode(): { readonly NODE_COMPILE_CACHE?: string } {
  const folder = getCompileCacheDir();
  // Node adds a folder for its own version to the one it is told.
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}

function stopping(): WorkerError {
  return new WorkerError('pool_closed', 'the program is stopping');
}

function absent(cause: unknown): WorkerError {
  return new WorkerError('worker_absent', `no worker could be started: ${messageOf(cause)}`, { cause });
}

function died(how: string, lastWords?: string): WorkerError {
  return new WorkerError('worker_died', `the worker died: ${how}`, { cause: lastWords });
}

function failed({ message, name, code }: Extract<Reply, { kind: 'error' }>): WorkerError {
  const cause: TaskCause = { name, code };
  return new WorkerError('task_failed', message, { cause });
}

/** Before it has threads, which take over what it has. */
function lower({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    const { PRIORITY_BELOW_NORMAL: below } = constants.priority;
    if (getPriority(pid) < below) setPriority(pid, below);
  } catch {
    // It has ended, which is told elsewhere.
  }
}
