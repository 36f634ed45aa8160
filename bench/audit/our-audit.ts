import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClusterAudit } from '../../src/audit/cluster-audit.ts';
import { createConstraintWatcher } from '../../src/audit/constraint-watcher.ts';
import { createLiveCache } from '../../src/audit/live-cache.ts';
import { createClusterAuditStore } from '../../src/cluster/audit-store.ts';
import { NO_FACTS } from '../../src/constraints/image-facts.ts';
import { openDatabase } from '../../src/db/database.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createLogger } from '../../src/platform/logger.ts';

/**
 * A process of its own: `our-audit.ts KUBECONFIG FOLDER` follows a cluster as the guard does, with a database on disk. Prints
 * a line for the first pass, and one for every line it reads; ends with its input.
 */
const [, , kubeconfig = '', folder = ''] = process.argv;
const started = performance.now();
const logger = createLogger('error');
const client = createKubernetesClient(loadKubeconfig(kubeconfig), systemClock);
const database = await openDatabase({ engine: 'sqlite', path: join(folder, 'audit.db') });
const watching = { client, clock: systemClock, logger };
const watcher = createConstraintWatcher(watching);
const cache = createLiveCache(watching);
const audit = createClusterAudit({
  cache,
  rules: () => watcher.rules(),
  broken: () => watcher.broken(),
  namespaceLabels: (name) => watcher.namespaceLabels(name),
  facts: { factsAbout: () => NO_FACTS },
  client,
  sink: createClusterAuditStore({ db: database.db }),
  clock: systemClock,
  logger,
  cluster: 'bench',
  pod: 'guard-0',
});

await cache.settled();
const listed = performance.now();
while (watcher.rules() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
await pass(started, { listedMs: listed - started });
for await (const _line of createInterface({ input: process.stdin })) await pass(performance.now(), {});
audit.stop();
await Promise.all([cache.stop(), watcher.stop()]);
await client.close();
await database.close();

async function pass(from: number, more: object): Promise<void> {
  const run = await audit.pass();
  console.log(
    JSON.stringify({
      ms: performance.now() - from,
      objects: run.objects,
      violations: run.violations.length,
      incomplete: run.incomplete,
      unchanged: run.unchanged,
      peakMB: peakMB(),
      ...more,
    }),
  );
}

function peakMB(): number {
  const [, kilobytes = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
