import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { type KillablePostgres, startKillablePostgres } from '../support/killable-postgres.ts';
import { until } from '../support/program.ts';
import { errorOf, newImage, type PushedImage, pushUntilRefused, served } from '../support/pushed-image.ts';
import { openWire, type Reply, type Wire } from '../support/wire.ts';

const REPOSITORY = 'trouble/app';
const RECOVERY_MS = 20_000;
const AWAY_MS = 20_000;
const PUSHERS = 4;

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

interface World {
  readonly postgres: KillablePostgres;
  readonly server: BreakwaterServer;
  readonly wire: Wire;
}

async function start(): Promise<World> {
  const postgres = await startKillablePostgres();
  cleanUp.push(() => postgres.stop());
  const server = await startBreakwater({ environment: { BREAKWATER_DATABASE_URL: postgres.url } });
  cleanUp.push(() => server.stop());
  const wire = openWire({ url: server.url, user: 'admin', password: server.password });
  cleanUp.push(() => wire.close());
  expect((await server.cli(['project', 'create', 'trouble'])).code).toBe(0);
  return { postgres, server, wire };
}

/** Pushes images one after the other until told; gives those acknowledged, and every answer that was none. */
function pushing({ wire }: World, name: string) {
  const acknowledged: PushedImage[] = [];
  const refused: Reply[] = [];
  const stop = new AbortController();
  const done = (async () => {
    for (let count = 0; !stop.signal.aborted; count += 1) {
      const image = newImage(REPOSITORY, `${name}-${count}`);
      const answers = await pushUntilRefused(wire, image);
      if (answers.length === 0) acknowledged.push(image);
      refused.push(...answers);
    }
  })();
  return {
    acknowledged,
    refused,
    async end() {
      stop.abort();
      await done;
    },
  };
}

async function problems({ server }: World): Promise<string[]> {
  const reply = await fetch(`${server.metricsUrl}/readyz`);
  expect(reply.status).toBe(200);
  const { problems } = (await reply.json()) as { problems: { name: string; problem: string }[] };
  return problems.map(({ name, problem }) => `${name}: ${problem}`);
}

describe('PostgreSQL', () => {
  it.each<[string, (world: World) => Promise<void>]>([
    ['is killed and comes back', async ({ postgres }) => postgres.kill().then(() => postgres.restart())],
    ['loses one of its processes, and with it all connections', ({ postgres }) => postgres.killBackend()],
    ['cuts every connection amid what it does', cutEverything],
  ])('%s: nothing acknowledged is lost, and the server goes on by itself', async (_, strike) => {
    const world = await start();
    const pushers = Array.from({ length: PUSHERS }, (_, at) => pushing(world, `p${at}`));
    await until(() => pushers.every(({ acknowledged }) => acknowledged.length > 0), {
      limitMs: RECOVERY_MS,
      describe: () => 'nothing is pushed',
    });
    for (let round = 0; round < 3; round += 1) {
      await strike(world);
      const counts = pushers.map(({ acknowledged }) => acknowledged.length);
      await until(() => pushers.every(({ acknowledged }, at) => acknowledged.length > (counts[at] ?? 0)), {
        limitMs: RECOVERY_MS,
        describe: () => 'nothing is pushed any more',
      });
    }
    await Promise.all(pushers.map((one) => one.end()));
    for (const reply of pushers.flatMap(({ refused }) => refused)) {
      expect([reply.status, reply.headers['retry-after']]).toEqual([503, '10']);
      expect(errorOf(reply)).toMatch(/UNAVAILABLE .*PostgreSQL.*try again later/);
    }
    for (const image of pushers.flatMap(({ acknowledged }) => acknowledged))
      expect(await served(world.wire, image), image.tag).toBe('whole');
    await until(async () => (await problems(world)).length === 0, {
      limitMs: RECOVERY_MS,
      describe: () => 'the server does not recover',
    });
    expect(world.server.output()).not.toContain('"stack"');
  });

  it(`is away for ${AWAY_MS / 1000} s: everything is answered clearly, logged once, and well again afterwards`, async () => {
    const world = await start();
    const { postgres, server, wire } = world;
    const before = newImage(REPOSITORY, 'before');
    expect(await pushUntilRefused(wire, before)).toEqual([]);
    // With a token to read, which nobody gives out while the database is away.
    expect(await served(wire, before)).toBe('whole');
    await postgres.kill();
    const end = performance.now() + AWAY_MS;
    let asked = 0;
    while (performance.now() < end) {
      for (const [path, form] of [
        [`/v2/${REPOSITORY}/manifests/before`, 'errors'],
        [`/v2/${REPOSITORY}/tags/list`, 'errors'],
        ['/api/v1/projects', 'problem'],
      ] as const) {
        const reply = await ask(world, path);
        expect([path, reply.status, reply.headers['retry-after']]).toEqual([path, 503, '10']);
        expect(reply.body.toString()).toContain(form === 'errors' ? '"UNAVAILABLE"' : '"database_unavailable"');
        expect(reply.body.toString()).toContain('PostgreSQL cannot be reached (ECONNREFUSED)');
        asked += 1;
      }
      expect(await problems(world)).toContainEqual(expect.stringMatching(/^database: PostgreSQL cannot be reached/));
      expect((await fetch(`${server.metricsUrl}/livez`)).status).toBe(200);
      await delay(100);
    }
    const entries = server
      .output()
      .split('\n')
      .filter((line) => /"level":[45]0/.test(line));
    expect(asked).toBeGreaterThan(50);
    // Who noticed it says so: requests, queues, schedules.
    expect(entries.length).toBeLessThan(15);
    expect(entries.filter((line) => line.includes('"stack"'))).toEqual([]);
    await postgres.restart();
    await until(async () => (await problems(world)).length === 0, {
      limitMs: RECOVERY_MS,
      describe: () => 'the server does not recover',
    });
    expect(await served(wire, before)).toBe('whole');
    const after = newImage(REPOSITORY, 'after');
    expect(await pushUntilRefused(wire, after)).toEqual([]);
    expect(await served(wire, after)).toBe('whole');
  });
});

/** The wire keeps its token; the management API wants the account itself. */
async function ask({ server, wire }: World, path: string): Promise<Reply> {
  const basic = Buffer.from(`admin:${server.password}`).toString('base64');
  return wire.send('GET', path, path.startsWith('/api') ? { headers: { authorization: `Basic ${basic}` } } : {});
}

async function cutEverything({ postgres }: World): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  for (let times = 0; times < 20; times += 1) {
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await delay(25);
  }
  await client.end();
}
