import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startBreakwater } from '../../test/support/breakwater.ts';
import { freePort } from '../../test/support/free-port.ts';
import { findPeer } from '../../test/support/peers.ts';
import { answers, startService, until } from '../../test/support/program.ts';
import { startDistribution } from '../../test/support/registry-distribution.ts';

export const PROJECT = 'bench';

/** A registry that was started for one round. */
export interface Running {
  readonly url: string;
  readonly pid: number;
  readonly user?: string;
  stop(): Promise<unknown>;
}

export interface Contender {
  readonly name: string;
  /** What it acknowledges is on the disk. One that does not sync is measured where that costs something, and is nobody's equal. */
  readonly durable: boolean;
  start(): Promise<Running>;
}

/** Breakwater first; zot, with and without its fsync setting, when its binary is given. Throws when that is no program. */
export function contenders(folder: string, zot: string | undefined): readonly Contender[] {
  if (zot !== undefined && findPeer(zot) === undefined) throw new Error(`ZOT names ${zot}, which is not a program`);
  return [
    { name: 'Breakwater', durable: true, start: startOurs },
    { name: 'Distribution', durable: true, start: () => startDistribution() },
    ...(zot === undefined
      ? []
      : [
          { name: 'zot', durable: true, start: () => startZot(zot, folder, true) },
          { name: 'zot, no fsync', durable: false, start: () => startZot(zot, folder, false) },
        ]),
  ];
}

async function startOurs(): Promise<Running> {
  const server = await startBreakwater({ environment: { BREAKWATER_LOG_LEVEL: 'error' } });
  const created = await server.cli(['project', 'create', PROJECT, '--block', 'high']);
  if (created.code !== 0) throw new Error(created.screen);
  return { url: server.url, pid: server.pid, user: `admin:${server.password}`, stop: () => server.stop() };
}

async function startZot(program: string, parent: string, commit: boolean): Promise<Running> {
  const folder = await mkdtemp(join(parent, 'zot-'));
  const port = await freePort();
  const settings = {
    distSpecVersion: '1.1.1',
    storage: { rootDirectory: join(folder, 'data'), commit },
    http: { address: '127.0.0.1', port: String(port) },
    log: { level: 'error' },
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(settings));
  const service = await startService(program, ['serve', join(folder, 'config.json')]);
  const url = `http://127.0.0.1:${port}`;
  await until(() => answers(`${url}/v2/`), { limitMs: 20_000, describe: () => 'zot did not start:', service });
  return {
    url,
    pid: service.pid,
    async stop() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
