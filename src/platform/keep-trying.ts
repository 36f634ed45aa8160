import { setTimeout as delay } from 'node:timers/promises';

/** Does something as soon as it can be done: again and again, `everyMs` after each failure, which `onFailure` is told of. Ends early with the signal. */
export async function keepTrying(
  work: () => Promise<unknown>,
  options: { readonly everyMs: number; readonly signal: AbortSignal; onFailure(error: unknown): void },
): Promise<void> {
  const { everyMs, signal } = options;
  while (!signal.aborted) {
    try {
      await work();
      return;
    } catch (error) {
      options.onFailure(error);
    }
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
