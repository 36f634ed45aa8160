/** Long enough for what a start begins in the background. */
const SETTLED_MS = 3000;

/**
 * Gives back what the start of a long-lived process left in memory, once, some seconds from now: nothing else would ask for a full collection of
 * a heap that hardly grows. Does nothing where the process was not started with `--expose-gc`. Gives what calls it off.
 */
export function collectOnceSettled(): () => void {
  const timer = setTimeout(() => {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }, SETTLED_MS);
  timer.unref();
  return () => clearTimeout(timer);
}
