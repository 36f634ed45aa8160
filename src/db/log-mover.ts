import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Moves the write-ahead log of a SQLite database into its file, in a thread of its own. */
export interface LogMover {
  /** Begins, unless it is at it. */
  move(): void;
  /** Resolves when its connection is closed; nothing is begun any more. */
  close(): Promise<void>;
}

/** A thread without work for so long is ended. */
const IDLE_MS = 10_000;
/** More than it needs. */
const MEMORY = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

/**
 * What cannot be moved, because somebody reads it or the disk fails, stays in the log. So does all when no thread can be had: SQLite itself
 * moves it where the log has become long, and tells what fails.
 */
export function createLogMover(path: string): LogMover {
  let thread: Worker | undefined;
  let busy = false;
  let isOver = false;
  let idle: NodeJS.Timeout | undefined;
  const living = new Set<Worker>();

  function start(): Worker {
    const started = new Worker(new URL('./log-mover-worker.ts', import.meta.url), {
      workerData: path,
      execArgv: [],
      resourceLimits: MEMORY,
    });
    started.unref();
    living.add(started);
    started.on('exit', () => living.delete(started));
    started.on('message', rest);
    started.on('error', () => {
      isOver = true;
    });
    return started;
  }
  function rest(): void {
    busy = false;
    idle = setTimeout(end, IDLE_MS).unref();
  }
  function end(): void {
    thread?.postMessage('close');
    thread = undefined;
  }

  return {
    move() {
      if (busy || isOver) return;
      busy = true;
      clearTimeout(idle);
      thread ??= start();
      thread.postMessage('move');
    },
    async close() {
      isOver = true;
      clearTimeout(idle);
      end();
      await Promise.all(
        [...living].map((ending) => {
          // Else nothing might be left that keeps the process waiting for it.
          ending.ref();
          return once(ending, 'exit');
        }),
      );
      clearTimeout(idle);
    },
  };
}
