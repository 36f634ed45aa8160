import { setTimeout as delay } from 'node:timers/promises';
import { beginRotation, certificateStatus } from '../../src/guard/certificates-admin.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { type Api, type Created } from './api.ts';
import type { Balancer } from './balancer.ts';
import { NAMESPACE, openWorld, type World } from './world.ts';

const USAGE = 'usage: npm run drill:rotation -- [rotations] [creates per second]';
/** Less than by default, longer than it takes to notice that a replica is not ready. */
const DRAIN = { BREAKWATER_GUARD_DRAIN_SECONDS: '4' };
const BURST = 10;
/** How often the API server has to make its connections to the guards anew, in bursts. */
const RECONNECT_EVERY = 3;

interface Load {
  stop(): Promise<void>;
  readonly creates: () => number;
  readonly bad: readonly string[];
}

/**
 * Changes the certificates of two replicas many times over while pods are created, then restarts one replica after the
 * other: no pod may come in unseen, and the API server may never meet a certificate that it does not trust.
 */
async function drill(rotations: number, perSecond: number): Promise<boolean> {
  const world = await openWorld({ failurePolicy: 'Ignore', enforcementAction: 'warn', guards: 2, settings: DRAIN });
  try {
    const { api, client, balancer } = world;
    const failOpenBefore = await failOpens(world);
    const started = performance.now();
    const load = startLoad(api, balancer, perSecond);
    for (let turn = 1; turn <= rotations; turn += 1) {
      const id = await beginRotation(client, NAMESPACE, systemClock);
      const phases = await untilServed(world, id);
      console.log(`rotation ${turn}: certificate ${id}, ${phases.join(' > ')}, ${load.creates()} creates so far`);
    }
    await restartOneByOne(world);
    await load.stop();
    const seconds = (performance.now() - started) / 1000;
    const log = await world.cluster.log();
    const x509 = log.split('\n').filter((line) => line.includes('x509')).length;
    const failOpen = (await failOpens(world)) - failOpenBefore;
    console.log(
      `${rotations} rotations, ${load.creates()} creates in ${Math.round(seconds)} s (${(load.creates() / seconds).toFixed(0)}/s), ${balancer.accepted()} connections`,
    );
    console.log(
      `x509 errors: ${x509}, fail-open: ${failOpen}, creates without the guard's warning: ${load.bad.length}`,
    );
    for (const line of load.bad.slice(0, 5)) console.log(`  ${line}`);
    return x509 === 0 && failOpen === 0 && load.bad.length === 0 && load.creates() > 0;
  } finally {
    await world.close();
  }
}

/** As a rollout does it: the Service leaves out a replica that is not ready, and that one still answers for a while. */
async function restartOneByOne({ guards, balancer }: World): Promise<void> {
  const over = new AbortController();
  async function follow(): Promise<void> {
    while (!over.signal.aborted) {
      const ready = await Promise.all(guards.map(async (guard) => (await guard.ready()).code === 200));
      balancer.use(guards.filter((_, at) => ready[at]).map(({ webhookPort }) => webhookPort));
      await delay(200);
    }
  }
  const following = follow();
  for (const guard of guards) {
    const code = await guard.terminate();
    console.log(`${guard.name} ended with ${code}, ready again after ${Math.round(await guard.start())} ms`);
    if (code !== 0) throw new Error(`${guard.name} did not end with 0: ${await guard.log()}`);
    await delay(1000);
  }
  over.abort();
  await following;
}

/** Bursts of creations; after some of them the idle connections to the guards are ended, so that new ones are made. */
function startLoad(api: Api, balancer: Balancer, perSecond: number): Load {
  const bad: string[] = [];
  let creates = 0;
  const over = new AbortController();
  function judge({ code, warned, message }: Created): void {
    creates += 1;
    if (code !== 201 || !warned) bad.push(`${code} ${warned ? 'warned' : 'not warned'} ${message.slice(0, 300)}`);
  }
  async function run(): Promise<void> {
    for (let burst = 0; !over.signal.aborted; burst += 1) {
      const began = performance.now();
      await Promise.all(
        Array.from({ length: BURST }, async (_, at) =>
          judge(await api.createPod(`p-${burst}-${at}`, 'evil.example.com/x:1', { dryRun: true })),
        ),
      );
      if (burst % RECONNECT_EVERY === 0) balancer.closeIdle();
      await delay(Math.max(15, (BURST * 1000) / perSecond - (performance.now() - began)));
    }
  }
  const running = run();
  return {
    creates: () => creates,
    bad,
    async stop() {
      over.abort();
      await running;
    },
  };
}

/** The phases that were seen on the way. */
async function untilServed({ client, guards }: World, id: string): Promise<string[]> {
  const seen: string[] = [];
  const end = performance.now() + 180_000;
  for (;;) {
    const status = await certificateStatus(client, NAMESPACE);
    if (status && seen.at(-1) !== status.phase) seen.push(status.phase);
    if (status?.phase === 'stable' && status.serving.id === id) {
      const all = status.replicas.length === guards.length && status.replicas.every(({ serves }) => serves === id);
      if (all && status.configurations.every(({ trusted }) => trusted)) return seen;
    }
    if (performance.now() > end) throw new Error(`the rotation does not end: ${JSON.stringify(status)}`);
    await delay(100);
  }
}

const failOpens = ({ api }: World) =>
  api.counter('apiserver_admission_webhook_fail_open_count', 'validation.gatekeeper.sh');

const [rotations = 20, perSecond = 100] = process.argv.slice(2).map(Number);
if (!(rotations > 0 && perSecond > 0)) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const passed = await drill(rotations, perSecond);
  console.log(passed ? 'passed' : 'FAILED');
  process.exitCode = passed ? 0 : 1;
}
