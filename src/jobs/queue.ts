import type { Capabilities } from '../db/capabilities.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { retryDelay } from './backoff.ts';
import { JobError } from './errors.ts';
import {
  ensureScheduled,
  failJob,
  finishJob,
  type JobView,
  listJobs,
  type NewJob,
  putJob,
  renewLease,
  retryJob,
  type TakenJob,
  takeJob,
} from './job-store.ts';

/** Does one kind of work. It must bear being run twice; it stops early when the signal says so. */
export type JobHandler = (payload: unknown, context: JobContext) => Promise<void>;

export interface JobContext {
  /** Aborted when the lease is lost or the program stops. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
}

export interface Schedule {
  /** Names the schedule; also the kind of its job. */
  readonly kind: string;
  readonly everySeconds: number;
  readonly handler: JobHandler;
}

export interface JobQueueDeps {
  readonly db: Db;
  readonly capabilities: Pick<Capabilities, 'skipLocked'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Looked at when the queue starts, not when it is made. */
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly schedules?: readonly Schedule[];
  /** Jobs run at once; 2 unless told. */
  readonly concurrency?: number;
  /** How often the database is asked when nothing wakes the queue; 1 s unless told. */
  readonly pollMs?: number;
  readonly leaseMs?: number;
  readonly mostAttempts?: number;
  readonly random?: () => number;
}

/** Durable work: what is put in is done at least once, also after a crash, by one of the replicas. */
export interface JobQueue {
  /** Puts a job in; with `tx` it is there when that transaction commits. */
  enqueue(job: NewJob, tx?: Tx): Promise<void>;
  /** Begins to work. */
  start(): Promise<void>;
  /** Takes nothing more and waits for what is under way; after `graceMs` it is told to stop and goes back into the queue. */
  stop(graceMs?: number): Promise<void>;
  list(query: { readonly state?: JobView['state']; readonly limit: number }): Promise<JobView[]>;
}

const POLL_MS = 1000;
const LEASE_MS = 60_000;
const MOST_ATTEMPTS = 10;
const CONCURRENCY = 2;
const GRACE_MS = 10_000;
const SCHEDULE_KEY = 'schedule';

interface Running {
  readonly done: Promise<void>;
  readonly abort: AbortController;
}

/** Makes a queue over the `jobs` table and the loop that works on it. */
export function createJobQueue(deps: JobQueueDeps): JobQueue {
  const { db, clock, logger, pollMs = POLL_MS, leaseMs = LEASE_MS, mostAttempts = MOST_ATTEMPTS } = deps;
  const schedules = new Map((deps.schedules ?? []).map((schedule) => [schedule.kind, schedule]));
  let handlers: ReadonlyMap<string, JobHandler> = new Map();
  let kinds: readonly string[] = [];
  const running = new Set<Running>();
  let state: 'idle' | 'working' | 'stopped' = 'idle';
  let timer: NodeJS.Timeout | undefined;
  let filling: Promise<void> | undefined;
  let wokenMeanwhile = false;

  /** Asks for work now; asked while it is asking, it asks once more. */
  function wake(): void {
    if (state !== 'working') return;
    if (filling) {
      wokenMeanwhile = true;
      return;
    }
    clearTimeout(timer);
    filling = fill().finally(() => {
      filling = undefined;
      if (wokenMeanwhile) {
        wokenMeanwhile = false;
        wake();
      } else if (state === 'working') timer = setTimeout(wake, pollMs).unref();
    });
  }

  function hasRoom(): boolean {
    return state === 'working' && running.size < (deps.concurrency ?? CONCURRENCY);
  }

  async function fill(): Promise<void> {
    try {
      while (hasRoom()) {
        const job = await takeJob(deps, kinds, clock.now(), clock.now() + leaseMs);
        if (!job) return;
        begin(job);
      }
    } catch (error) {
      logger.error({ error: messageOf(error) }, 'the job queue cannot be read; trying again');
    }
  }

  function begin(job: TakenJob): void {
    const abort = new AbortController();
    const entry: Running = {
      abort,
      done: run(job, abort)
        .catch((error: unknown) =>
          logger.error(
            { kind: job.kind, key: job.key, error: messageOf(error) },
            'the outcome of a job was not stored',
          ),
        )
        .finally(() => {
          running.delete(entry);
          wake();
        }),
    };
    running.add(entry);
  }

  async function run(job: TakenJob, abort: AbortController): Promise<void> {
    const schedule = schedules.get(job.kind);
    // A try that ended the process counts too: such a job must not end it for ever.
    if (!schedule && job.attempt > mostAttempts)
      return failJob(db, job.id, `given up after ${mostAttempts} attempts; the last one ended with the process`);
    const heartbeat = setInterval(() => void beat(job, abort), leaseMs / 3).unref();
    try {
      await handlers.get(job.kind)?.(job.payload, { signal: abort.signal, attempt: job.attempt });
    } catch (error) {
      return await settleFailure(job, abort.signal, error);
    } finally {
      clearInterval(heartbeat);
    }
    await finishJob(db, job.id, schedule && clock.now() + schedule.everySeconds * 1000);
  }

  async function beat(job: TakenJob, abort: AbortController): Promise<void> {
    try {
      if (!(await renewLease(db, job.id, clock.now() + leaseMs)))
        abort.abort(new Error('the lease of this job is lost'));
    } catch (error) {
      logger.warn({ kind: job.kind, key: job.key, error: messageOf(error) }, 'the lease of a job was not renewed');
    }
  }

  async function settleFailure(job: TakenJob, signal: AbortSignal, error: unknown): Promise<void> {
    const text = messageOf(error);
    const fields = { kind: job.kind, key: job.key, attempt: job.attempt, error: text };
    const now = clock.now();
    if (signal.aborted) return retryJob(db, { ...job, attempt: job.attempt - 1 }, now, text);
    const schedule = schedules.get(job.kind);
    const delay = retryDelay(job.attempt, deps.random ?? Math.random);
    if (schedule) {
      logger.warn(fields, 'a scheduled job failed');
      return retryJob(db, job, now + Math.min(delay, schedule.everySeconds * 1000), text);
    }
    if (job.attempt >= mostAttempts || (error instanceof JobError && error.code === 'rejected')) {
      logger.error(fields, 'a job failed for good');
      return failJob(db, job.id, text);
    }
    logger.warn(fields, 'a job failed and will be tried again');
    return retryJob(db, job, now + delay, text);
  }

  return {
    async enqueue(job, tx) {
      await putJob(tx ?? db, job, clock.now());
      wake();
    },
    async start() {
      // Not before: whoever does the work may itself need the queue to be made.
      handlers = new Map([...deps.handlers, ...[...schedules.values()].map((one) => [one.kind, one.handler] as const)]);
      kinds = [...handlers.keys()];
      const now = clock.now();
      for (const { kind, everySeconds } of schedules.values())
        await ensureScheduled(db, kind, SCHEDULE_KEY, now, now + everySeconds * 1000);
      state = 'working';
      wake();
    },
    async stop(graceMs = GRACE_MS) {
      state = 'stopped';
      clearTimeout(timer);
      await filling;
      const grace = setTimeout(() => {
        for (const { abort } of running) abort.abort(new Error('the program is stopping'));
      }, graceMs);
      await Promise.all([...running].map(({ done }) => done));
      clearTimeout(grace);
    },
    list: (query) => listJobs(db, query),
  };
}
