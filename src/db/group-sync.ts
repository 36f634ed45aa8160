/**
 * Makes many wait for one `sync`: the promise it gives resolves when a sync that began after the call has ended. A failed sync is final: what
 * it should have made durable may be lost, and a later one would not tell.
 */
export function createGroupSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function turn(): Promise<void> {
    await sync();
    if (!next) running = undefined;
  }

  function start(): Promise<void> {
    running = turn();
    return running;
  }

  return () => {
    if (!running) return start();
    // The one under way may have begun before what is to be made durable was written.
    next ??= running.then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
}
