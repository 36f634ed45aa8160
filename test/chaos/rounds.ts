import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seeded } from '../../src/gc/random.testing.ts';
import { type BreakwaterServer, launchBreakwater, type StartOptions, startBreakwater } from '../support/breakwater.ts';
import { until } from '../support/program.ts';
import { type ActorDeps, act, type Chances, type Tally } from './actor.ts';
import { basic, bearer, type Client, CutOff, openClient, tokensFor, WrongAnswer } from './client.ts';
import { newFacts, type RepositoryFacts } from './facts.ts';
import { look } from './look.ts';
import { passDay, type Recount, recount } from './recount.ts';
import { type Database, type Storage, startStorage } from './storage.ts';

export interface ChaosOptions {
  readonly database: Database;
  readonly rounds: number;
  readonly seed: number;
  /** Another build of the program, started as `node PROGRAM serve`. */
  readonly program?: string | undefined;
  /** PostgreSQL says that something is committed before it has written it. */
  readonly careless?: boolean | undefined;
  /** Leaves the data where it is. */
  readonly keep?: boolean | undefined;
  /** Ends after the round under way, as if it was the last. */
  readonly signal?: AbortSignal | undefined;
  /** Told after every round. */
  onRound?(round: number, report: Report): void;
}

export interface Report extends Tally {
  rounds: number;
  kills: { server: number; starting: number; postgres: number; backend: number };
  daysPassed: number;
  longestStartMs: number;
  longestStartCpuMs: number;
  readonly losses: string[];
  recount?: Recount;
  readonly dataDir: string;
}

const ACTORS = 6;
/** A kill comes after so many answers, and then up to so many milliseconds: no machine is too slow or too fast for it. */
const MOST_ANSWERS = 120;
const MOST_MS = 30;
/** A server that works this long on its start after a crash is as bad as lost data. Not by the clock: others use the machine too. */
const START_LIMIT_CPU_MS = 5000;
/** One loss often shows in many places. */
const MOST_LOSSES = 20;
const ENVIRONMENT = { BREAKWATER_GC_DELAY_SECONDS: '0', BREAKWATER_LOG_LEVEL: 'error' };

type Victim = 'server' | 'postgres' | 'backend' | 'both';

interface Plan {
  readonly victim: Victim;
  readonly answers: number;
  readonly afterMs: number;
  /** The next start is killed too, after so long. */
  readonly startingMs: number | undefined;
  readonly dayPasses: boolean;
}

function planOf(chances: Chances, withPostgres: boolean): Plan {
  const victims: readonly Victim[] = withPostgres
    ? [...Array.from({ length: 9 }, () => 'server' as const), 'postgres', 'backend', 'both']
    : ['server'];
  return {
    victim: chances.pick(victims),
    answers: 1 + chances.below(MOST_ANSWERS),
    afterMs: chances.below(MOST_MS),
    startingMs: chances.below(12) === 0 ? chances.below(700) : undefined,
    dayPasses: chances.below(12) === 0,
  };
}

/** Kills the real server again and again amid everything it does, and looks for what is missing. */
export async function chaos(options: ChaosOptions): Promise<Report> {
  const dataDir = await mkdtemp(join(tmpdir(), `breakwater-chaos-${options.database}-`));
  const storage = await startStorage(options.database, { dataDir, careless: options.careless ?? false });
  const world = newWorld(options, storage, dataDir);
  try {
    await prepare(world);
    while (
      world.report.rounds < options.rounds &&
      !options.signal?.aborted &&
      world.report.losses.length < MOST_LOSSES
    ) {
      await round(world);
      options.onRound?.(world.report.rounds, world.report);
    }
    await end(world);
    return world.report;
  } finally {
    await world.server?.kill();
    await storage.stop();
    if (!options.keep) await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

type World = ReturnType<typeof newWorld>;

function newWorld(options: ChaosOptions, storage: Storage, dataDir: string) {
  const shared = newFacts('kept/shared', false);
  const own = Array.from({ length: ACTORS }, (_, at) => [
    newFacts(`kept/of-${at}`, false),
    newFacts(`collected/of-${at}`, true),
  ]);
  const facts: readonly RepositoryFacts[] = [shared, ...own.flat()];
  const report: Report = {
    rounds: 0,
    acknowledged: 0,
    inDoubt: 0,
    refused: 0,
    kills: { server: 0, starting: 0, postgres: 0, backend: 0 },
    daysPassed: 0,
    longestStartMs: 0,
    longestStartCpuMs: 0,
    losses: [],
    dataDir,
  };
  const server: BreakwaterServer | undefined = undefined;
  const start: StartOptions = {
    dataDir,
    environment: { ...ENVIRONMENT, ...storage.environment },
    ...(options.program === undefined ? {} : { command: [process.execPath, options.program, 'serve'] as const }),
  };
  return {
    options,
    storage,
    shared,
    own,
    facts,
    report,
    start,
    server: server as BreakwaterServer | undefined,
    tokens: undefined as ReturnType<typeof tokensFor> | undefined,
  };
}

async function prepare(world: World): Promise<void> {
  const server = await startBreakwater(world.start);
  world.server = server;
  for (const project of ['kept', 'collected']) {
    const { code, screen } = await server.cli(['project', 'create', project]);
    if (code !== 0) throw new Error(screen);
  }
  const { code, screen } = await server.cli(['project', 'set', 'collected', '--untagged', 'delete']);
  if (code !== 0) throw new Error(screen);
  const account = { user: 'admin', password: server.password };
  world.tokens = tokensFor(
    account,
    world.facts.map(({ name }) => name),
  );
}

async function round(world: World): Promise<void> {
  const { options, report, storage } = world;
  const server = running(world);
  const chances = seeded(options.seed * 1_000_003 + report.rounds * 101);
  const plan = planOf(chances, storage.postgres !== undefined);
  await disturb(world, server, plan);
  report.rounds += 1;
  if (plan.victim === 'server' || plan.victim === 'both') await startAgain(world, plan);
  else
    await until(() => isSound(server), {
      limitMs: 30_000,
      describe: () => 'the database is back, but not for the server',
    });
  await lookAtAll(world, 'recent');
}

/** Everybody works until the kill. */
async function disturb(world: World, server: BreakwaterServer, plan: Plan): Promise<void> {
  const { options, report, own, shared } = world;
  const enough = Promise.withResolvers<void>();
  let answers = plan.answers;
  const client = openClient(server.url, bearer((await world.tokens?.(server.url)) ?? ''), () => {
    answers -= 1;
    if (answers <= 0) enough.resolve();
  });
  let cut = false;
  const actors = own.map((repositories, at) => {
    const deps: ActorDeps = {
      client: untilCut(client, () => cut),
      chances: seeded(options.seed * 7_000_003 + report.rounds * 211 + at),
      name: `${options.seed}-${report.rounds}-${at}`,
      own: repositories,
      shared,
      tally: report,
      mayFail: plan.victim !== 'server',
    };
    return act(deps).catch((error: unknown) => noteWrong(report, error));
  });
  const collecting = collectUntilCut(world, server, () => cut, plan.victim !== 'server');
  await Promise.race([enough.promise, Promise.all(actors)]);
  await delay(plan.afterMs);
  await strike(world, server, plan.victim);
  cut = true;
  await Promise.all([...actors, collecting]);
  await client.close();
}

/** Only the server's end, or that of its database, ends an actor. */
function untilCut(client: Client, isCut: () => boolean): Client {
  return {
    ...client,
    send(...request) {
      if (isCut()) throw new CutOff('the round is over');
      return client.send(...request);
    },
  };
}

async function collectUntilCut(world: World, server: BreakwaterServer, isCut: () => boolean, mayFail: boolean) {
  const client = openClient(server.url, basic({ user: 'admin', password: server.password }));
  try {
    while (!isCut()) {
      const body = Buffer.from('{}');
      const answer = await client.send('POST', '/api/v1/gc/runs', {
        body,
        headers: { 'content-type': 'application/json' },
      });
      const failed = answer.status === 200 ? (JSON.parse(answer.body.toString()) as { failed: number }).failed : 0;
      if ((answer.status !== 200 || failed > 0) && !mayFail)
        throw new WrongAnswer(`garbage collection: ${answer.status} ${answer.body.toString()}`);
      await delay(20);
    }
  } catch (error) {
    if (!(error instanceof CutOff)) noteWrong(world.report, error);
  } finally {
    await client.close();
  }
}

async function strike({ report, storage }: World, server: BreakwaterServer, victim: Victim): Promise<void> {
  const { postgres } = storage;
  if (victim === 'backend') {
    await postgres?.killBackend();
    report.kills.backend += 1;
    return;
  }
  const killed: Promise<void>[] = [];
  if (victim !== 'postgres') {
    killed.push(server.kill());
    report.kills.server += 1;
  }
  if (victim !== 'server' && postgres) {
    killed.push(postgres.kill().then(() => postgres.restart()));
    report.kills.postgres += 1;
  }
  await Promise.all(killed);
}

async function startAgain(world: World, plan: Plan): Promise<void> {
  const { report, storage, facts, start } = world;
  const { ports } = running(world);
  world.server = undefined;
  if (plan.dayPasses) {
    await passDay(storage.location);
    report.daysPassed += 1;
    for (const { blobs } of facts) for (const fact of blobs.values()) fact.promiseOver = true;
  }
  if (plan.startingMs !== undefined) {
    const starting = await launchBreakwater({ ...start, dataDir: report.dataDir, ports });
    await delay(plan.startingMs);
    await starting.kill();
    report.kills.starting += 1;
  }
  world.server = await startBreakwater({ ...start, ports });
  report.longestStartMs = Math.max(report.longestStartMs, world.server.startedInMs);
  report.longestStartCpuMs = Math.max(report.longestStartCpuMs, world.server.startedWithCpuMs);
  if (world.server.startedWithCpuMs > START_LIMIT_CPU_MS)
    report.losses.push(
      `the start after round ${report.rounds} took ${world.server.startedWithCpuMs} ms of processor time`,
    );
}

/** Throws when the server ended by itself. */
async function isSound(server: BreakwaterServer): Promise<boolean> {
  const reply = await fetch(`${server.metricsUrl}/readyz`).catch(() => undefined);
  if (!reply) throw new Error(`the server ended with its database:\n${server.output()}`);
  const { problems } = (await reply.json()) as { problems: { name: string }[] };
  return reply.status === 200 && problems.every(({ name }) => name !== 'database');
}

async function lookAtAll(world: World, which: 'recent' | 'all'): Promise<void> {
  const { url } = running(world);
  const client = openClient(url, bearer((await world.tokens?.(url)) ?? ''));
  try {
    for (const facts of world.facts) world.report.losses.push(...(await look(client, facts, which)));
  } finally {
    await client.close();
  }
}

/** Everything once more, then the garbage is collected and everything counted, then everything once more. */
async function end(world: World): Promise<void> {
  const { report, storage, facts, start } = world;
  await lookAtAll(world, 'all');
  const { ports } = running(world);
  if ((await running(world).stop()) !== 0) report.losses.push('the server did not stop with 0');
  world.server = undefined;
  report.recount = await recount(storage.location, report.dataDir);
  report.losses.push(...report.recount.problems);
  for (const { blobs } of facts) for (const fact of blobs.values()) fact.promiseOver = true;
  world.server = await startBreakwater({ ...start, ports });
  await lookAtAll(world, 'all');
}

function running(world: World): BreakwaterServer {
  if (!world.server) throw new Error('no server is running');
  return world.server;
}

function noteWrong(report: Report, error: unknown): void {
  if (!(error instanceof WrongAnswer)) throw error;
  report.losses.push(error.message);
}
