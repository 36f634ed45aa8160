import { NO_FACTS } from '../constraints/image-facts.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { type ClusterAudit, type ClusterAuditDeps, createClusterAudit } from './cluster-audit.ts';
import { type ConstraintWatcher, createConstraintWatcher } from './constraint-watcher.ts';
import { createLiveCache, type LiveCache } from './live-cache.ts';
import type { AuditRun } from './ports.ts';

/** Everything an audit of a cluster takes, following that cluster; for tests. */
export interface TestAudit {
  readonly watcher: ConstraintWatcher;
  readonly cache: LiveCache;
  readonly audit: ClusterAudit;
  /** What was recorded, in order. */
  readonly runs: AuditRun[];
  stop(): Promise<void>;
}

/** Starts to follow a cluster and waits until its rules are read. */
export async function followCluster(
  client: KubernetesClient,
  clock: Clock,
  more: Partial<ClusterAuditDeps> = {},
  waitMs = 20_000,
): Promise<TestAudit> {
  const watching = { client, clock, logger: silentLogger, retryMs: 50 };
  const watcher = createConstraintWatcher(watching);
  const cache = createLiveCache(watching);
  const runs: AuditRun[] = [];
  const audit = createClusterAudit({
    cache,
    rules: () => watcher.rules(),
    broken: () => watcher.broken(),
    namespaceLabels: (name) => watcher.namespaceLabels(name),
    facts: { factsAbout: () => NO_FACTS },
    client,
    sink: { recordAudit: async (run) => void runs.push(run) },
    clock,
    logger: silentLogger,
    cluster: 'c',
    pod: 'guard-0',
    ...more,
  });
  const end = performance.now() + waitMs;
  while (watcher.rules() === undefined && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    watcher,
    cache,
    audit,
    runs,
    async stop() {
      audit.stop();
      await Promise.all([watcher.stop(), cache.stop()]);
    },
  };
}

/** One pass over a cluster from nothing, as a guard that has just been started does it. */
export async function auditOnce(
  client: KubernetesClient,
  clock: Clock,
  more: Partial<ClusterAuditDeps> = {},
): Promise<AuditRun> {
  const followed = await followCluster(client, clock, more);
  try {
    return await followed.audit.pass();
  } finally {
    await followed.stop();
  }
}
