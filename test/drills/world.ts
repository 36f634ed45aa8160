import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderGuardManifests } from '../../src/admission/manifests.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type Api, openApi } from './api.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type GuardProcess, makeGuard } from './guards.ts';

/** A real API server, guards as processes, and what stands for the Service between them. */
export interface World {
  readonly cluster: TestCluster;
  readonly client: KubernetesClient;
  readonly api: Api;
  readonly balancer: Balancer;
  readonly guards: readonly GuardProcess[];
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly failurePolicy: 'Ignore' | 'Fail';
  readonly enforcementAction: 'warn' | 'deny';
  readonly guards: number;
  readonly settings?: Readonly<Record<string, string>>;
}

export const NAMESPACE = 'breakwater-system';
export const TRUSTED = 'harbor.example.com';
const WAIT_MS = 90_000;

/** Sets it all up; the guards are running and the webhook is asked. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-drill-'));
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  async function close(): Promise<void> {
    for (const one of closers.reverse()) await one();
  }
  try {
    const cluster = await startCluster();
    closers.push(() => cluster.stop());
    const balancer = await startBalancer();
    closers.push(() => balancer.close());
    const client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
    closers.push(() => client.close());
    const api = await openApi(cluster);
    closers.push(() => api.close());
    const manifests = renderGuardManifests({
      constraintName: 'require-harbor-repo',
      repos: [TRUSTED],
      enforcementAction: options.enforcementAction,
      failurePolicy: options.failurePolicy,
      replicas: options.guards,
      webhook: { url: `https://127.0.0.1:${balancer.port}` },
    });
    const applied = await cluster.kubectl(['apply', '-f', '-'], manifests);
    if (applied.code !== 0) throw new Error(`the manifests cannot be applied: ${applied.stderr}`);
    const guards: GuardProcess[] = [];
    for (let at = 0; at < options.guards; at += 1) {
      guards.push(await makeGuard(cluster, `guard-${at}`, folder, options.settings));
    }
    closers.push(async () => void (await Promise.all(guards.map((one) => one.kill()))));
    await Promise.all(guards.map((one) => one.start()));
    balancer.use(guards.map(({ webhookPort }) => webhookPort));
    await until('the webhook to be asked', async () => {
      const { code, warned } = await api.createPod('first', 'evil.example.com/x', { dryRun: true });
      return warned || code === 403;
    });
    return { cluster, client, api, balancer, guards, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits until that is so; a question that fails is asked again. */
export async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  await eventually(what, () => ask().catch(() => false), { limitMs: WAIT_MS, pauseMs: 200 });
}
