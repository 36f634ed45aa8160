import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startBreakwater } from '../test/support/breakwater.ts';
import { freePort } from '../test/support/free-port.ts';
import { findPeer, requirePeer } from '../test/support/peers.ts';
import { answers, startService, until } from '../test/support/program.ts';
import { startDistribution } from '../test/support/registry-distribution.ts';
import { alternate, type Row, type Sample } from './figures.ts';
import { versionOf } from './machine.ts';
import type { Options } from './options.ts';
import { printRows } from './print.ts';

const PROJECT = 'bench';

/** A registry that was started for one round. */
interface Running {
  readonly url: string;
  readonly pid: number;
  readonly user?: string;
  stop(): Promise<unknown>;
}

interface Contender {
  readonly name: string;
  start(): Promise<Running>;
}

interface Scenario {
  readonly scenario: string;
  readonly size: string;
  readonly c: number;
  readonly n: number;
}

/** Pushes first: they are what the others read. */
const SCENARIOS: readonly Scenario[] = [
  { scenario: 'push', size: '1MB', c: 2, n: 200 },
  { scenario: 'push', size: '10MB', c: 2, n: 60 },
  { scenario: 'push', size: '100MB', c: 2, n: 8 },
  { scenario: 'push-chunked', size: '10MB', c: 2, n: 60 },
  { scenario: 'manifest-tag', size: '64KB', c: 1, n: 3000 },
  { scenario: 'manifest-tag', size: '64KB', c: 10, n: 8000 },
  { scenario: 'head-blob', size: '64KB', c: 10, n: 8000 },
  { scenario: 'pull', size: '1MB', c: 2, n: 600 },
  { scenario: 'pull', size: '10MB', c: 2, n: 200 },
  { scenario: 'pull', size: '100MB', c: 2, n: 30 },
  { scenario: 'mixed', size: '1MB', c: 2, n: 300 },
];

/** Before the first figure of a round: programs just started are slower than they are for the rest of their lives. */
const WARMING: Scenario = { scenario: 'mixed', size: '64KB', c: 2, n: 100 };

/** Push and pull figures beside CNCF Distribution, and zot when `ZOT` names its binary. */
export async function benchRegistries({ rounds, folder, load, scale }: Options): Promise<void> {
  const contenders: Contender[] = [
    { name: 'Breakwater', start: startOurs },
    { name: 'Distribution', start: () => startDistribution() },
  ];
  const zot = process.env['ZOT'];
  if (zot) contenders.push({ name: 'zot', start: () => startZot(zot, folder) });
  console.log(`\n# Registry: ${rounds} rounds, fresh folders in each`);
  console.log(`Distribution: ${await versionOf(requirePeer('registry'), ['--version'])}, without authentication`);
  console.log(zot ? `zot: ${zot}, with its fsync setting` : 'zot is not measured: ZOT does not name its binary');
  console.log(
    'Breakwater: fsync of every blob and row, Bearer tokens, every layer analysed, every image judged, gate at high',
  );

  const found = new Map<Scenario, Map<string, Sample[]>>(SCENARIOS.map((scenario) => [scenario, new Map()]));
  // A round starts every registry anew, and gives each the whole list; within a scenario they take turns.
  for (let round = 0; round < rounds; round += 1) {
    const running = [];
    for (const contender of contenders) running.push({ name: contender.name, ...(await contender.start()) });
    try {
      for (const one of running) await load.measure({ ...flagsOf(one, WARMING, scale), n: WARMING.n });
      for (const [at, scenario] of SCENARIOS.entries()) {
        const order = (round + at) % 2 === 0 ? running : running.toReversed();
        const samples = await alternate(order, 1, (one) => load.measure(flagsOf(one, scenario, scale)));
        const kept = found.get(scenario);
        for (const { name } of contenders) kept?.set(name, [...(kept.get(name) ?? []), ...(samples.get(name) ?? [])]);
      }
    } finally {
      for (const one of running) await one.stop();
    }
  }
  printRows([...found].map(([scenario, samples]): Row => ({ scenario: nameOf(scenario), samples })));
}

function flagsOf({ url, user = '', pid }: Running, scenario: Scenario, scale: number) {
  return { url, user, pid, repo: PROJECT, ...scenario, n: Math.max(scenario.c, Math.round(scenario.n * scale)) };
}

function nameOf({ scenario, size, c }: Scenario): string {
  return `${scenario}${scenario.startsWith('manifest') || scenario.startsWith('head') ? '' : ` ${size}`}, c=${c}`;
}

async function startOurs(): Promise<Running> {
  const server = await startBreakwater({ environment: { BREAKWATER_LOG_LEVEL: 'error' } });
  const created = await server.cli(['project', 'create', PROJECT, '--block', 'high']);
  if (created.code !== 0) throw new Error(created.screen);
  return { url: server.url, pid: server.pid, user: `admin:${server.password}`, stop: () => server.stop() };
}

async function startZot(program: string, parent: string): Promise<Running> {
  if (findPeer(program) === undefined) throw new Error(`ZOT names ${program}, which is not a program`);
  const folder = await mkdtemp(join(parent, 'zot-'));
  const port = await freePort();
  const settings = {
    distSpecVersion: '1.1.1',
    storage: { rootDirectory: join(folder, 'data'), commit: true },
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
