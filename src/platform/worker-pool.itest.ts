import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createWorkerPool, type WorkerPool } from './worker-pool.ts';

const pools: WorkerPool<string, string>[] = [];

function poolOf(size: number, timeoutMs = 10_000): WorkerPool<string, string> {
  const module = new URL('./testdata/worker.ts', import.meta.url);
  const pool = createWorkerPool<string, string>({ module, size, memoryMb: 32, timeoutMs });
  pools.push(pool);
  return pool;
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

  it('lets one worker die of memory or by itself, and goes on', async () => {
    const pool = poolOf(1);
    const results = await Promise.allSettled(['exhaust', 'a', 'exit', 'b'].map((task) => pool.run(task)));
    expect(results).toMatchObject([
      { reason: { code: 'worker_memory', message: 'it needed more than 32 MB of memory' } },
      { value: 'done: a' },
      { reason: { code: 'worker_died' } },
      { value: 'done: b' },
    ]);
  });

  it('stops a worker whose buffers, outside of the heap, grow without end', async () => {
    const pool = poolOf(1);
    const before = process.memoryUsage().rss;
    await expect(pool.run('exhaust buffers')).rejects.toMatchObject({ code: 'worker_memory' });
    expect(await pool.run('a')).toBe('done: a');
    expect(process.memoryUsage().rss - before).toBeLessThan(2 * 1024 ** 3);
  });

  it('gives up what takes too long, and goes on', async () => {
    const pool = poolOf(1, 1000);
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
    expect(JSON.parse(await pool.run('secrets'))).toEqual({});
  });

  it('ends what runs before it closes, and takes nothing more', async () => {
    const pool = poolOf(1);
    const running = [pool.run('a'), pool.run('b')];
    await pool.close();
    expect(await Promise.all(running)).toEqual(['done: a', 'done: b']);
    await expect(pool.run('c')).rejects.toMatchObject({ code: 'pool_closed' });
  });
});
