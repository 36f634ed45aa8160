import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { capabilitiesOf } from '../db/capabilities.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import type { JobSink } from '../verdicts/ports.ts';
import { JobError } from './errors.ts';
import { takeJob } from './job-store.ts';
import { createJobQueue, type JobHandler, type JobQueue, type JobQueueDeps } from './queue.ts';

describe.each(ENGINES)('jobs on %s', (engine) => {
  let handle: DatabaseHandle;
  let clock: ReturnType<typeof fixedClock>;
  let queues: JobQueue[];
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    clock = fixedClock(1_000_000);
    queues = [];
  });
  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.stop(0)));
    await handle.close();
  });

  function queueOf(handlers: Record<string, JobHandler>, changes: Partial<JobQueueDeps> = {}): JobQueue {
    const queue = createJobQueue({
      db: handle.db,
      capabilities: capabilitiesOf(engine),
      clock,
      logger: silentLogger,
      handlers: new Map(Object.entries(handlers)),
      pollMs: 10,
      random: () => 0,
      ...changes,
    });
    queues.push(queue);
    return queue;
  }
  const left = () => handle.db.selectFrom('jobs').selectAll().orderBy('key').execute();
  const gone = () => vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 10_000 });

  it('does each job once, whoever of several workers takes it', async () => {
    const done: string[] = [];
    const handlers = {
      count: async (payload: unknown) => {
        await sleep(1);
        done.push(String(payload));
      },
    };
    const workers = Array.from({ length: 5 }, () => queueOf(handlers, { concurrency: 3 }));
    const names = Array.from({ length: 60 }, (_, at) => `job ${at}`);
    await Promise.all(names.map((name) => workers[0]!.enqueue({ kind: 'count', key: name, payload: name })));
    await Promise.all(workers.map((worker) => worker.start()));
    await gone();
    expect(done.toSorted()).toEqual(names.toSorted());
  });

  it('does work whose handler came after the queue was made', async () => {
    const handlers = new Map<string, JobHandler>();
    const queue = queueOf({}, { handlers });
    const done = Promise.withResolvers<unknown>();
    handlers.set('late', async (payload) => done.resolve(payload));
    await queue.enqueue({ kind: 'late', key: 'k', payload: 7 });
    await queue.start();
    expect(await done.promise).toBe(7);
    await gone();
  });

  it('gives one job to one of many that ask at the same time', async () => {
    const sink: JobSink = queueOf({});
    await sink.enqueue({ kind: 'a', key: 'k', payload: null });
    const deps = { db: handle.db, capabilities: capabilitiesOf(engine) };
    const taken = await Promise.all(
      Array.from({ length: 8 }, () => takeJob(deps, ['a'], clock.now(), clock.now() + 1000)),
    );
    expect(taken.filter((job) => job !== undefined)).toHaveLength(1);
  });

  it('takes what was asked for twice as one, with the newest payload, and once more when asked for while it runs', async () => {
    const seen: unknown[] = [];
    const gate = Promise.withResolvers<void>();
    const queue = queueOf({
      a: async (payload) => {
        seen.push(payload);
        if (seen.length === 1) await gate.promise;
      },
    });
    await queue.enqueue({ kind: 'a', key: 'k', payload: 1 });
    await queue.enqueue({ kind: 'a', key: 'k', payload: 2 });
    await queue.start();
    await vi.waitFor(() => expect(seen).toEqual([2]));
    await queue.enqueue({ kind: 'a', key: 'k', payload: 3 });
    await queue.enqueue({ kind: 'a', key: 'k', payload: 4 });
    await sleep(50);
    expect(seen).toEqual([2]);
    gate.resolve();
    await gone();
    expect(seen).toEqual([2, 4]);
  });

  it('waits until it is due, and leaves kinds it does not know alone', async () => {
    const seen: string[] = [];
    const queue = queueOf({ a: async () => void seen.push('a') });
    await queue.enqueue({ kind: 'a', key: 'k', payload: null, runAfter: clock.now() + 5000 });
    await queue.enqueue({ kind: 'unknown', key: 'k', payload: null });
    await queue.start();
    await sleep(60);
    expect(seen).toEqual([]);
    clock.advance(5000);
    await vi.waitFor(() => expect(seen).toEqual(['a']));
    await vi.waitFor(async () => expect((await left()).map(({ kind }) => kind)).toEqual(['unknown']));
  });

  it('tries again later and later, then gives up until somebody asks again', async () => {
    const attempts: number[] = [];
    let works = false;
    const queue = queueOf(
      {
        a: async (_payload, { attempt }) => {
          attempts.push(attempt);
          if (!works) throw new Error('no luck');
        },
      },
      { mostAttempts: 3 },
    );
    await queue.enqueue({ kind: 'a', key: 'k', payload: null });
    await queue.start();
    for (const [count, wait] of [
      [1, 500],
      [2, 1000],
    ] as const) {
      await vi.waitFor(async () =>
        expect(await left()).toMatchObject([{ state: 'queued', run_after: clock.now() + wait, last_error: 'no luck' }]),
      );
      await sleep(40);
      expect(attempts).toHaveLength(count);
      clock.advance(wait);
    }
    await vi.waitFor(async () =>
      expect(await queue.list({ state: 'failed', limit: 9 })).toMatchObject([
        { kind: 'a', key: 'k', attempts: 3, lastError: 'no luck' },
      ]),
    );
    clock.advance(1e9);
    await sleep(40);
    expect(attempts).toEqual([1, 2, 3]);
    works = true;
    await queue.enqueue({ kind: 'a', key: 'k', payload: null });
    await gone();
    expect(attempts).toEqual([1, 2, 3, 1]);
  });

  it('does not try again what was rejected', async () => {
    const queue = queueOf({ a: async () => Promise.reject(new JobError('rejected', 'never')) });
    await queue.enqueue({ kind: 'a', key: 'k', payload: null });
    await queue.start();
    await vi.waitFor(async () =>
      expect(await queue.list({ limit: 9 })).toMatchObject([{ state: 'failed', attempts: 1 }]),
    );
  });

  it('takes over from a worker that died, and a late answer of the dead changes nothing', async () => {
    const deps = { db: handle.db, capabilities: capabilitiesOf(engine) };
    const started: number[] = [];
    const gate = Promise.withResolvers<void>();
    // A lease that is never renewed in time: the heartbeat of this worker is ten minutes apart.
    const dead = queueOf(
      { a: async (_payload, { attempt }) => (started.push(attempt), gate.promise) },
      { leaseMs: 1_800_000 },
    );
    await dead.enqueue({ kind: 'a', key: 'k', payload: 7 });
    await dead.start();
    await vi.waitFor(() => expect(started).toEqual([1]));
    expect(await takeJob(deps, ['a'], clock.now(), 0)).toBeUndefined();
    clock.advance(1_800_001);
    const successor = await takeJob(deps, ['a'], clock.now(), clock.now() + 60_000);
    expect(successor).toMatchObject({ payload: 7, attempt: 2 });
    gate.resolve();
    await dead.stop();
    expect(await left()).toMatchObject([{ id: successor?.id, state: 'running' }]);
  });

  it('gives up a job whose workers die every time', async () => {
    const deps = { db: handle.db, capabilities: capabilitiesOf(engine) };
    const ran: number[] = [];
    const queue = queueOf({ a: async (_payload, { attempt }) => void ran.push(attempt) }, { mostAttempts: 3 });
    await queue.enqueue({ kind: 'a', key: 'k', payload: null });
    for (let death = 0; death < 3; death += 1)
      expect(await takeJob(deps, ['a'], clock.now() + death, clock.now() + death)).toBeDefined();
    clock.advance(100);
    await queue.start();
    await vi.waitFor(async () => expect(await queue.list({ state: 'failed', limit: 1 })).toHaveLength(1));
    expect(ran).toEqual([]);
  });

  it('keeps the lease of long work, and tells the worker when it is lost', async () => {
    let lost = false;
    const gate = Promise.withResolvers<void>();
    const queue = queueOf(
      {
        a: async (_payload, { signal }) => {
          signal.addEventListener('abort', () => {
            lost = true;
            gate.resolve();
          });
          await gate.promise;
        },
      },
      { leaseMs: 60 },
    );
    await queue.enqueue({ kind: 'a', key: 'k', payload: null });
    await queue.start();
    clock.advance(30);
    await vi.waitFor(async () => expect((await left())[0]?.leased_until).toBe(clock.now() + 60));
    expect(lost).toBe(false);
    await handle.db.updateTable('jobs').set({ id: 'another' }).execute();
    await vi.waitFor(() => expect(lost).toBe(true));
  });

  it('finishes what is under way when it stops, and gives back what does not end', async () => {
    const finished: string[] = [];
    const queue = queueOf({
      quick: async () => {
        await sleep(80);
        finished.push('quick');
      },
      endless: (_payload, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    });
    await queue.enqueue({ kind: 'quick', key: 'k', payload: null });
    await queue.enqueue({ kind: 'endless', key: 'k', payload: null });
    await queue.start();
    await vi.waitFor(async () => expect((await left()).every(({ state }) => state === 'running')).toBe(true));
    await queue.stop(300);
    expect(finished).toEqual(['quick']);
    expect(await left()).toMatchObject([{ kind: 'endless', state: 'queued', attempts: 0, leased_until: null }]);
  });

  it('is part of the transaction it is given', async () => {
    const queue = queueOf({});
    const attempt = handle.db.transaction().execute(async (tx) => {
      await queue.enqueue({ kind: 'a', key: 'k', payload: null }, tx);
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    expect(await left()).toEqual([]);
    await expect(queue.enqueue({ kind: 'a', key: 'k', payload: 'x'.repeat(70_000) })).rejects.toMatchObject({
      code: 'payload_invalid',
    });
  });

  it('runs a schedule on one of the replicas, every time it is due, also after failures and restarts', async () => {
    let runs = 0;
    const schedules = [
      {
        kind: 'tick',
        everySeconds: 60,
        handler: async () => {
          runs += 1;
          if (runs === 2) throw new Error('once');
        },
      },
    ];
    const replicas = [queueOf({}, { schedules }), queueOf({}, { schedules })];
    await Promise.all(replicas.map((queue) => queue.start()));
    const settled = (count: number) =>
      vi.waitFor(async () => {
        expect(runs).toBe(count);
        expect(await left()).toMatchObject([{ state: 'queued' }]);
      });
    await settled(1);
    await sleep(40);
    expect(runs).toBe(1);
    clock.advance(60_000);
    await settled(2);
    clock.advance(500);
    await settled(3);
    await Promise.all(replicas.map((queue) => queue.stop()));
    const restarted = queueOf({}, { schedules });
    await restarted.start();
    await sleep(40);
    expect(runs).toBe(3);
    clock.advance(60_000);
    await settled(4);
  });
});
