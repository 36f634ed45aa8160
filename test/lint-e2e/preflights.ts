import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClusterAudit } from '../../src/audit/cluster-audit.ts';
import { createConstraintWatcher } from '../../src/audit/constraint-watcher.ts';
import { createLiveCache } from '../../src/audit/live-cache.ts';
import type { AuditRun } from '../../src/audit/ports.ts';
import { NO_FACTS } from '../../src/constraints/image-facts.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import type { TestCluster } from '../support/cluster.ts';
import { breakwater } from './program.ts';
import { type Score, unless } from './score.ts';

interface Place {
  readonly constraint: string;
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly message: string;
}

/** Preflight lists what the first audit lists, on the same cluster, and says what a guard would lack. */
export async function tryPreflight(score: Score, cluster: TestCluster, folder: string): Promise<void> {
  const base = ['guard', 'preflight', '--kubeconfig', cluster.kubeconfig];
  const before = await breakwater([...base, '-o', 'json']);
  const first = await firstAudit(cluster);
  const report = JSON.parse(before.stdout) as { wouldDeny: readonly Place[]; objects: number };
  const [listed, audited] = [places(report.wouldDeny), places(first.violations)];
  const same = listed.length > 20 && JSON.stringify(listed) === JSON.stringify(audited);
  const more = listed.filter((one) => !audited.includes(one)).slice(0, 5);
  const less = audited.filter((one) => !listed.includes(one)).slice(0, 5);
  const problem = `${listed.length} and ${audited.length}:\n${more.join('\n')}\nmissing\n${less.join('\n')}`;
  score.verdict(`preflight lists the ${audited.length} violations of the first audit`, unless(same, problem));
  const objects = `${report.objects} and ${first.objects}`;
  score.verdict('preflight judged as many objects', unless(report.objects === first.objects, objects));
  score.verdict('preflight that finds violations ends with 1', unless(before.code === 1, before.screen));

  const file = join(folder, 'none.yaml');
  const spec = { parameters: { repos: ['nobody.example/'] } };
  const apiVersion = 'constraints.gatekeeper.sh/v1beta1';
  await writeFile(file, JSON.stringify({ apiVersion, kind: 'K8sDisallowedRepos', metadata: { name: 'none' }, spec }));
  const none = await breakwater([...base, file]);
  const found = none.stdout.includes('0 violations of K8sDisallowedRepos none');
  score.verdict('preflight of a constraint that nothing breaks finds nothing', unless(found, none.screen));
  const account = await breakwater([...base, file, '--service-account', 'default/nobody']);
  const named = account.code === 1 && account.stdout.includes('list pods');
  score.verdict('preflight names the rights that an account lacks', unless(named, account.screen));
  const short = none.stdout.includes('nginx is docker.io/library/nginx');
  score.verdict('preflight names short image names', unless(short, none.screen));
}

async function firstAudit(cluster: TestCluster): Promise<AuditRun> {
  const client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
  const deps = { client, clock: systemClock, logger: silentLogger, retryMs: 200 };
  const watcher = createConstraintWatcher(deps);
  const cache = createLiveCache(deps);
  const audit = createClusterAudit({
    ...deps,
    cache,
    rules: () => watcher.rules(),
    namespaceLabels: (name) => watcher.namespaceLabels(name),
    facts: { factsAbout: async () => NO_FACTS },
    sink: { recordAudit: async () => undefined },
    cluster: 'test',
    pod: 'guard-0',
  });
  try {
    while (watcher.rules() === undefined) await delay(100);
    return await audit.pass();
  } finally {
    audit.stop();
    await Promise.all([watcher.stop(), cache.stop()]);
    await client.close();
  }
}

function places(list: readonly Place[]): string[] {
  return list
    .map(({ constraint, group, kind, namespace, name, message }) =>
      [constraint, group, kind, namespace, name, message].join(' '),
    )
    .sort();
}
