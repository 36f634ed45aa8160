import { setTimeout as delay } from 'node:timers/promises';

/** Asks until there is an answer (neither undefined nor false) and gives it; throws with `what` after `limitMs`, 30 s unless told. */
export async function eventually<Value>(
  what: string,
  ask: () => Value | undefined | Promise<Value | undefined>,
  { limitMs = 30_000, pauseMs = 100 }: { readonly limitMs?: number; readonly pauseMs?: number } = {},
): Promise<Value> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${limitMs / 1000} s for: ${what}`);
    await delay(pauseMs);
  }
}
