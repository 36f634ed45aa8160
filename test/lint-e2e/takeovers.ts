import { setTimeout as delay } from 'node:timers/promises';
import type { TestCluster } from '../support/cluster.ts';
import { applied } from '../support/gatekeeper.ts';
import { breakwater } from './program.ts';
import { type Score, unless } from './score.ts';

const CONFIGURATION = 'gatekeeper-validating-webhook-configuration';

/** Beside a live Gatekeeper only what it does not read may be written. */
export async function tryTakeoverBesideGatekeeper(score: Score, cluster: TestCluster): Promise<void> {
  const base = ['guard', 'import', '--kubeconfig', cluster.kubeconfig];
  // Gatekeeper runs as a process here; in a cluster its webhook configuration shows that it is live.
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const object = {
    apiVersion,
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: CONFIGURATION },
    webhooks: [],
  };
  await applied(cluster, JSON.stringify(object));
  const refused = await breakwater([...base, '--apply']);
  const said = refused.code === 1 && refused.stderr.includes('a Gatekeeper is live');
  score.verdict('import --apply beside a live Gatekeeper is refused', unless(said, refused.screen));
  const observed = await breakwater([...base, '--apply', '--observe']);
  const wrote = observed.stderr.includes(' configured') && !observed.stderr.includes(' released');
  score.verdict('import --apply --observe writes constraints only', unless(wrote, observed.screen));
  await cluster.kubectl(['delete', 'validatingwebhookconfiguration', CONFIGURATION]);
}

/** After Gatekeeper: everything is taken over, and its templates can go without the constraints. */
export async function tryTakeover(
  score: Score,
  cluster: TestCluster,
  kinds: readonly string[],
  constraints: number,
): Promise<void> {
  const base = ['guard', 'import', '--kubeconfig', cluster.kubeconfig];
  const dry = await breakwater(base);
  const printed = dry.stdout.split('\nkind: K8s').length - 1;
  score.verdict('import prints every constraint', unless(printed === constraints, `${printed}: ${dry.screen}`));
  const prefix =
    dry.stderr.includes('needs breakwater/matching: prefix') || dry.stdout.includes('breakwater/matching: prefix');
  score.verdict('import names constraints that keep their meaning only by prefix', unless(prefix, dry.screen));
  const done = await breakwater([...base, '--apply']);
  const released = done.stderr.match(/ released$/gm)?.length ?? 0;
  score.verdict('import --apply releases the definitions', unless(released === kinds.length, done.screen));
  const definitions = kinds.map((kind) => `${kind.toLowerCase()}.constraints.gatekeeper.sh`);
  for (const kind of kinds) await cluster.kubectl(['delete', 'constrainttemplate', kind.toLowerCase(), '--wait=false']);
  await delay(3000);
  const owners = await cluster.kubectl([
    'get',
    'crd',
    ...definitions,
    '-o',
    'jsonpath={.items[*].metadata.ownerReferences}',
  ]);
  const free = owners.code === 0 && owners.stdout.trim() === '';
  score.verdict('no definition belongs to a template any more', unless(free, owners.stdout + owners.stderr));
}
