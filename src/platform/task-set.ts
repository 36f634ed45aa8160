/** Work that nobody waits for, but that must be finished before the process stops. */
export interface TaskSet {
  /** Starts a task; a failure goes to `onError`, never into the air. */
  run(task: () => Promise<unknown>, onError: (error: unknown) => void): void;
  /** Waits until no task is left, including those started meanwhile. */
  drain(): Promise<void>;
}

export function createTaskSet(): TaskSet {
  const running = new Set<Promise<void>>();
  return {
    run(task, onError) {
      const promise = task().then(
        () => undefined,
        (error: unknown) => onError(error),
      );
      running.add(promise);
      void promise.finally(() => running.delete(promise));
    },
    async drain() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}
