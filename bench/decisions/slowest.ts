import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** Something that was timed. */
export interface Timed<What> {
  readonly what: What;
  readonly ms: number;
  /** Processor time of this process meanwhile. */
  readonly worked: number;
  /** Of `ms`, for collecting the heap. */
  readonly collected: number;
}

/** Times one after the other, and how much of each went into collections of the heap. */
export async function timeEach<What>(
  all: readonly What[],
  run: (what: What) => Promise<unknown>,
): Promise<readonly Timed<What>[]> {
  const collections: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => void collections.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  const times: { readonly what: What; readonly began: number; readonly ended: number; readonly worked: number }[] = [];
  for (const what of all) {
    const before = process.cpuUsage();
    const began = performance.now();
    await run(what);
    const ended = performance.now();
    const { user, system } = process.cpuUsage(before);
    times.push({ what, began, ended, worked: (user + system) / 1000 });
  }
  // What was observed last is told in the next turn.
  await setImmediate();
  observer.disconnect();
  return times.map(({ what, began, ended, worked }) => {
    const within = collections.filter(({ startTime }) => startTime >= began && startTime < ended);
    return { what, ms: ended - began, worked, collected: within.reduce((sum, { duration }) => sum + duration, 0) };
  });
}
