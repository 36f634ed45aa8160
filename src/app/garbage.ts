import { capabilitiesOf } from '../db/capabilities.ts';
import { createGarbageCollector, type GarbageCollector } from '../gc/garbage-collector.ts';
import type { Schedule } from '../jobs/queue.ts';
import type { GarbageMetrics } from './garbage-metrics.ts';
import type { Services } from './services.ts';

const DAY_MS = 86_400_000;

/** Garbage collection over the stores of this process. */
export function createGarbageParts(services: Services, metrics: GarbageMetrics): GarbageCollector {
  const { config, handle } = services;
  return createGarbageCollector({
    ...services,
    skipLocked: capabilitiesOf(handle.engine).skipLocked,
    delayMs: config.gcDelaySeconds * 1000,
    scrubEveryMs: config.scrubIntervalDays * DAY_MS,
    onRun: (summary) => metrics.ran(summary),
    onScrub: (done) => metrics.scrubbed(done),
  });
}

/** When it works by itself. */
export function garbageSchedules(garbage: GarbageCollector): Schedule[] {
  return [
    {
      kind: 'collect-garbage',
      everySeconds: 60,
      handler: async (_payload, { signal }) => void (await garbage.run(signal)),
    },
    { kind: 'scrub', everySeconds: 60, handler: async (_payload, { signal }) => garbage.scrub(signal) },
  ];
}
