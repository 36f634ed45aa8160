import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 60_000;

/** Asks until the answer is neither undefined nor false. Throws after a minute, naming what was waited for. */
export async function eventually<Value>(
  what: string,
  ask: () => Promise<Value | undefined | false> | Value | undefined | false,
): Promise<Value> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${LIMIT_MS / 1000} s for: ${what}`);
    await delay(50);
  }
}
