/**
 * Makes many wait for one `sync`: the promise it gives resolves when a sync that began after the call has ended. A sync that fails
 * fails for all who waited for it; those who come later get another one.
 */
export function createGroupSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function turn(): Promise<void> {
    try {
      await sync();
    } finally {
      if (!next) running = undefined;
    }
  }

  function start(): Promise<void> {
    running = turn();
    return running;
  }

  return () => {
    if (!running) return start();
    // The one under way may have begun before what is to be made durable was written.
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}
