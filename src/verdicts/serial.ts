/** Runs tasks of the same key one after the other, of different keys side by side. */
export interface Serial {
  run<Value>(key: string, task: () => Promise<Value>): Promise<Value>;
}

/** Makes a `Serial`. A task that fails does not keep the next one from running. */
export function createSerial(): Serial {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(key, task) {
      const before = tails.get(key) ?? Promise.resolve();
      const done = before.then(task, task);
      const tail = done
        .catch(() => undefined)
        .finally(() => {
          if (tails.get(key) === tail) tails.delete(key);
        });
      tails.set(key, tail);
      return done;
    },
  };
}
