import { capabilitiesOf } from '../db/capabilities.ts';
import { createGarbageCollector, type GarbageCollector } from '../gc/garbage-collector.ts';
import { createJobQueue } from '../jobs/queue.ts';
import { messageOf } from '../platform/errors.ts';
import { createTaskSet } from '../platform/task-set.ts';
import { makeRoom } from '../retention/make-room.ts';
import { createRetention, type Retention } from '../retention/retention.ts';
import { foldUsage } from '../usage/fold.ts';
import type { GarbageMetrics } from './garbage-metrics.ts';
import type { Services } from './services.ts';

const DAY_MS = 86_400_000;
const EVERY_SECONDS = 60;
/** The sums are exact without it; it keeps reading them cheap while much is pushed. */
const FOLD_EVERY_SECONDS = 15;
const ROOM_EVERY_SECONDS = 300;
/** Nobody waits for this work. */
const POLL_MS = 15_000;

interface GarbageParts {
  readonly collector: GarbageCollector;
  readonly retention: Retention;
  /** Folds the changes of usage soon; at once, when it is not doing so already. */
  foldSoon(): void;
  /** Begins to work by itself. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Garbage collection, retention and the sums of usage, and what drives them: a queue of its own, so that long runs keep no verdict waiting. */
export function createGarbageParts(services: Services, metrics: GarbageMetrics): GarbageParts {
  const { config, handle } = services;
  const capabilities = capabilitiesOf(handle.engine);
  const collector = createGarbageCollector({
    ...services,
    skipLocked: capabilities.skipLocked,
    delayMs: config.gcDelaySeconds * 1000,
    scrubEveryMs: config.scrubIntervalDays * DAY_MS,
    onRun: (summary) => metrics.ran(summary),
    onScrub: (done) => metrics.scrubbed(done),
  });
  const retention = createRetention(services);
  const jobs = createJobQueue({
    ...services,
    capabilities,
    pollMs: POLL_MS,
    // A large blob takes long to read, and so may a large project.
    concurrency: 3,
    handlers: new Map(),
    schedules: [
      {
        kind: 'collect-garbage',
        everySeconds: EVERY_SECONDS,
        handler: async (_payload, { signal }) => void (await collector.run(signal)),
      },
      {
        kind: 'fold-usage',
        everySeconds: FOLD_EVERY_SECONDS,
        handler: async (_payload, { signal }) => void (await foldUsage(services, signal)),
      },
      {
        kind: 'make-room',
        everySeconds: ROOM_EVERY_SECONDS,
        handler: async (_payload, { signal }) => void (await makeRoom(services, signal)),
      },
      {
        kind: 'apply-retention',
        everySeconds: DAY_MS / 1000,
        handler: (_payload, { signal }) => retention.runAll(signal),
      },
      { kind: 'scrub', everySeconds: EVERY_SECONDS, handler: (_payload, { signal }) => collector.scrub(signal) },
    ],
  });
  const folding = createTaskSet();
  let busy = false;
  function foldSoon(): void {
    if (busy) return;
    busy = true;
    folding.run(
      () =>
        foldUsage(services).finally(() => {
          busy = false;
        }),
      (error) => services.logger.warn({ error: messageOf(error) }, 'usage was not folded; trying again'),
    );
  }
  return {
    collector,
    retention,
    foldSoon,
    start: () => jobs.start(),
    async close() {
      await jobs.stop();
      await folding.drain();
    },
  };
}
