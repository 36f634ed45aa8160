import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newPostgres } from './embedded-postgres.ts';
import { freePort } from './free-port.ts';

/** A real PostgreSQL server whose processes can be killed. What it commits survives that, unless it is told otherwise. */
export interface KillablePostgres {
  readonly url: string;
  /** SIGKILL to one process that serves a connection; the server then ends all others and recovers by itself. */
  killBackend(): Promise<void>;
  /** SIGKILL to all of its processes. */
  kill(): Promise<void>;
  /** After `kill`: starts it again over the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const DATABASE = 'breakwater';
const GONE_TRIES = 500;

/** `settings`: more of its settings, as `name=value`. */
export async function startKillablePostgres(settings: readonly string[] = []): Promise<KillablePostgres> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'breakwater-killable-postgres-'));
  const port = await freePort();
  const server = () =>
    newPostgres(databaseDir, port, {
      persistent: true,
      initdbFlags: ['--no-sync'],
      // What was written outlives its writer without being synced: only the machine's end would lose it.
      postgresFlags: ['fsync=off', ...settings].flatMap((setting) => ['-c', setting]),
    });
  let running = server();
  let killed = false;
  await running.initialise();
  await running.start();
  await running.createDatabase(DATABASE);

  async function processes(): Promise<{ readonly main: number; readonly children: number[] }> {
    const [main = ''] = (await readFile(join(databaseDir, 'postmaster.pid'), 'utf8')).split('\n');
    return { main: Number(main), children: await childrenOf(Number(main)) };
  }

  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/${DATABASE}`,
    async killBackend() {
      const { children } = await processes();
      for (const pid of children) if (/postgres: postgres /.test(await commandOf(pid))) return end(pid);
    },
    async kill() {
      const { main, children } = await processes();
      killed = true;
      for (const pid of [main, ...children]) end(pid);
      for (const pid of [main, ...children]) await gone(pid);
    },
    async restart() {
      running = server();
      await running.start();
      killed = false;
    },
    async stop() {
      if (!killed) await running.stop();
      await rm(databaseDir, { recursive: true, force: true });
    },
  };
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) if ((await statOf(pid))[1] === String(parent)) found.push(pid);
  return found;
}

/** State, parent and more of a process (proc(5)); nothing when there is none. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function commandOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}

async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < GONE_TRIES; tries += 1) {
    const [state = ''] = await statOf(pid);
    if (state === '' || state === 'Z') return;
    await delay(10);
  }
  throw new Error(`process ${pid} of PostgreSQL does not end`);
}
