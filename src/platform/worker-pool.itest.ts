import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

const pools: WorkerPool<string, string>[] = [];

type Changes = Partial<Pick<WorkerPoolOptions, 'timeoutMs' | 'idleMs' | 'givesWay'>>;

function poolOf(size: number, changes: Changes = {}) {
  const module = new URL('./testdata/worker.ts', import.meta.url);
  const pool = createWorkerPool<string, string>({
    module,
    size,
    memoryMb: 32,
    youngMb: 12,
    timeoutMs: 60_000,
    ...changes,
  });
  pools.push(pool);
  return pool;
}

/** As ps(1) says it; a process that nobody asked for its end yet is a zombie. */
function stateOf(pid: number): string {
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim() || 'gone';
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

describe('createWorkerPool', () => {
  it('runs more tasks than it has workers', async () => {
    const pool = poolOf(2);
    const tasks = ['a', 'b', 'c', 'd', 'e'];
    expect(await Promise.all(tasks.map((task) => pool.run(task)))).toEqual(tasks.map((task) => `done: ${task}`));
  });

  it.each(['arrays', 'json', 'one array', 'texts', 'lines', 'map'])(
    'lets a worker die whose heap is full of %s, and goes on',
    async (what) => {
      const pool = poolOf(1);
      const results = await Promise.allSettled([what, 'a', what, 'b'].map((task) => pool.run(task)));
      const full = { reason: { code: 'worker_memory', message: 'it needed more than 32 MB of memory' } };
      expect(results).toMatchObject([full, { value: 'done: a' }, full, { value: 'done: b' }]);
    },
  );

  it.runIf(process.platform === 'linux')(
    'ends a worker whose buffers, outside of the heap, grow without end',
    async () => {
      const pool = poolOf(1);
      await expect(pool.run('buffers')).rejects.toMatchObject({ code: 'worker_memory' });
      expect(await pool.run('a')).toBe('done: a');
    },
  );

  it('says how a worker died by itself, and goes on', async () => {
    const pool = poolOf(1);
    await expect(pool.run('exit')).rejects.toMatchObject({
      code: 'worker_died',
      message: 'the worker died: it ended with code 3',
    });
    await expect(pool.run('abort')).rejects.toMatchObject({
      code: 'worker_died',
      message: 'the worker died: SIGABRT ended it',
    });
    expect(await pool.run('a')).toBe('done: a');
  });

  it('says why a worker could not begin', async () => {
    const module = new URL('./testdata/no-such-worker.ts', import.meta.url);
    const pool = createWorkerPool<string, string>({ module, size: 1, memoryMb: 32, youngMb: 12, timeoutMs: 60_000 });
    pools.push(pool);
    const failed = pool.run('a');
    await expect(failed).rejects.toMatchObject({ code: 'worker_died' });
    const { cause } = (await failed.catch((error: unknown) => error)) as Error;
    expect(cause).toContain('MODULE_NOT_FOUND');
  });

  it('passes on what a task tells while it runs', async () => {
    const told: unknown[] = [];
    expect(await poolOf(1).run('progress', { onProgress: (progress) => told.push(progress) })).toBe('told');
    expect(told).toEqual([1, 2]);
  });

  it('ends a task that is no longer wanted, and goes on', async () => {
    const pool = poolOf(1);
    const wanted = new AbortController();
    const running = pool.run('spin', { signal: wanted.signal });
    wanted.abort();
    await expect(running).rejects.toMatchObject({ code: 'task_ended' });
    await expect(pool.run('spin', { signal: wanted.signal })).rejects.toMatchObject({ code: 'task_ended' });
    expect(await pool.run('a')).toBe('done: a');
  });

  it('keeps a worker for the next task, and ends it when there is none for long', async () => {
    const kept = poolOf(1);
    expect(await kept.run('process')).toBe(await kept.run('process'));
    const pool = poolOf(1, { idleMs: 1 });
    const first = await pool.run('process');
    await vi.waitFor(() => expect(() => process.kill(Number(first), 0)).toThrow('ESRCH'), { timeout: 60_000 });
    expect(await pool.run('process')).not.toBe(first);
  });

  it('lets others go first, with all its threads, where it gives way', async () => {
    for (const [givesWay, priority] of [
      [true, Math.max(getPriority(), 10)],
      [false, getPriority()],
    ] as const) {
      const pid = await poolOf(1, { givesWay }).run('process');
      const { stdout } = spawnSync('ps', ['-L', '-o', 'ni=', '-p', pid], { encoding: 'utf8' });
      const priorities = stdout.trim().split(/\s+/).map(Number);
      expect(priorities.length).toBeGreaterThan(3);
      expect(new Set(priorities)).toEqual(new Set([priority]));
    }
  });

  it('takes what is urgent next, and while all workers are busy in one more', async () => {
    const pool = poolOf(1, { timeoutMs: 3000 });
    const done: string[] = [];
    const note = (task: string) => () => done.push(task);
    const spinning = pool.run('spin').catch(note('spin'));
    const waiting = pool.run('b').then(note('b'));
    await Promise.all(['c', 'd'].map((task) => pool.run(task, { urgent: true }).then(note(task))));
    expect(done.sort()).toEqual(['c', 'd']);
    await Promise.all([spinning, waiting]);
    expect(done).toEqual(['c', 'd', 'spin', 'b']);
  });

  it('gives up what takes too long, and goes on', async () => {
    const pool = poolOf(1, { timeoutMs: 1000 });
    await expect(pool.run('spin')).rejects.toMatchObject({ code: 'worker_late' });
    expect(await pool.run('a')).toBe('done: a');
  });

  it('replaces a worker that dies after its work, while nobody waits', async () => {
    const pool = poolOf(1);
    expect(await pool.run('answer, then die')).toBe('answered');
    await sleep(100);
    // On a busy machine it may be dying still, and take one more task with it.
    expect(await pool.run('a').catch(() => pool.run('a'))).toBe('done: a');
  });

  it('passes on what a task throws, keeps its worker, and shows it no secrets', async () => {
    const pool = poolOf(1);
    await expect(pool.run('fail')).rejects.toThrow('no such file');
    expect(Object.keys(JSON.parse(await pool.run('secrets')) as object)).toEqual(['TMPDIR']);
  });

  it.skipIf(process.platform === 'win32')(
    'leaves no worker behind in a loop when its own process is killed',
    async () => {
      const [module, worker] = ['./worker-pool.ts', './testdata/worker.ts'].map(
        (path) => new URL(path, import.meta.url),
      );
      const script = `
      import { createWorkerPool } from ${JSON.stringify(module)};
      const options = { size: 1, memoryMb: 32, youngMb: 12, timeoutMs: 600_000 };
      const pool = createWorkerPool({ module: new URL(${JSON.stringify(worker)}), ...options });
      const pid = await pool.run('process');
      await pool.run('tell, then spin', { onProgress: () => console.log(pid) });`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const pid = Number(((await once(parent.stdout, 'data')) as [Buffer])[0].toString());
      parent.kill('SIGKILL');
      try {
        await vi.waitFor(() => expect(stateOf(pid)).toMatch(/^(gone|Z)/), { timeout: 60_000 });
      } catch (error) {
        process.kill(pid, 'SIGKILL');
        throw error;
      }
    },
  );

  it('gives up what runs, also what stands still, and what waits', async () => {
    const pool = poolOf(2);
    const stopped = Number(await pool.run('process'));
    process.kill(stopped, 'SIGSTOP');
    const given = Promise.allSettled(['a', 'spin', 'b'].map((task) => pool.run(task)));
    pool.giveUp();
    const reason = { code: 'pool_closed', message: 'the program is stopping' };
    expect(await given).toMatchObject([{ reason }, { reason }, { reason }]);
    await expect(pool.run('c')).rejects.toMatchObject({ code: 'pool_closed' });
    await pool.close();
    expect(() => process.kill(stopped, 0)).toThrow('ESRCH');
  });

  it('ends what runs before it closes, and takes nothing more', async () => {
    const pool = poolOf(1);
    const running = [pool.run('a'), pool.run('b')];
    await pool.close();
    expect(await Promise.all(running)).toEqual(['done: a', 'done: b']);
    await expect(pool.run('c')).rejects.toMatchObject({ code: 'pool_closed' });
  });
});
