import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { requirePeer } from './peers.ts';
import { type Outcome, run, startService, until } from './program.ts';

const VERSIONS = '/usr/lib/postgresql';

/** The PostgreSQL of Debian, server and tools of one version: the embedded one of other tests brings no `pg_dump`. */
export interface DebianPostgres {
  url(database: string): string;
  /** `pg_dump`, `pg_restore`, `createdb`. */
  tool(name: string, ...args: string[]): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Starts it in a folder of its own; it refuses to run as root, so that then it runs as its own user. */
export async function startDebianPostgres(): Promise<DebianPostgres> {
  requirePeer('pg_dump');
  const version = (await readdir(VERSIONS)).sort((a, b) => Number(b) - Number(a))[0] ?? '';
  const bin = join(VERSIONS, version, 'bin');
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-debian-postgres-'));
  const asRoot = process.getuid?.() === 0;
  if (asRoot) await chown(folder, ...(await idsOf('postgres')));
  const command = (program: string, args: readonly string[]): [string, string[]] =>
    asRoot ? ['runuser', ['-u', 'postgres', '--', join(bin, program), ...args]] : [join(bin, program), [...args]];
  const data = join(folder, 'data');
  const made = await run(
    ...command('initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync']),
    { folder },
  );
  if (made.code !== 0) throw new Error(`initdb failed:\n${made.screen}`);
  const port = String(await freePort());
  const service = await startService(
    ...command('postgres', ['-D', data, '-p', port, '-h', '127.0.0.1', '-k', folder, '-c', 'fsync=off']),
    { folder },
  );
  const tool = (name: string, ...args: string[]) => run(join(bin, name), args);
  await until(async () => (await tool('pg_isready', '-h', '127.0.0.1', '-p', port)).code === 0, {
    limitMs: 30_000,
    describe: () => 'PostgreSQL did not start:',
    service,
  });
  return {
    url: (database) => `postgres://postgres@127.0.0.1:${port}/${database}`,
    tool,
    async stop() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function idsOf(user: string): Promise<[number, number]> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, user])).stdout)),
  );
  return [uid ?? 0, gid ?? 0];
}
