import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAsker } from '../gatekeeper-diff/ask.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { applied, gatekeeperLibrary, prepareGatekeeper, startGatekeeperWith } from '../support/gatekeeper.ts';
import { startGuard } from '../support/guard.ts';
import { lintedCases } from './constraints.ts';
import { tryPreflight } from './preflights.ts';
import { tryRefusals } from './refusals.ts';
import { createScore } from './score.ts';
import { tryTakeover, tryTakeoverBesideGatekeeper } from './takeovers.ts';
import { tryWitnesses, untilInForce } from './witnesses.ts';
import { storedWorkloads } from './workloads.ts';

/**
 * Every witness that lint prints is admitted by the real Gatekeeper and denied by the guard; a constraint that protects
 * nothing is refused on apply; preflight lists what the first audit lists; what is taken over survives Gatekeeper.
 */
const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, constraints: { type: 'string', default: '150' } },
});
const KINDS = {
  K8sAllowedRepos: 'allowedrepos',
  K8sAllowedReposv2: 'allowedreposv2',
  K8sDisallowedRepos: 'disallowedrepos',
  K8sDisallowedTags: 'disallowedtags',
  K8sImageDigests: 'imagedigests',
} as const;

const score = createScore();
const folder = await mkdtemp(join(tmpdir(), 'breakwater-lint-e2e-'));
const closing: (() => Promise<unknown> | void)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  await tryAll();
} finally {
  for (const close of closing.reverse()) await close();
}
score.say(`${score.passed} passed, ${score.failed} failed`);
process.exitCode = score.failed === 0 && score.passed > 0 ? 0 : 1;

async function tryAll(): Promise<void> {
  const cluster = await startCluster();
  closing.push(() => cluster.stop());
  const seed = Number(values.seed);
  const cases = lintedCases(seed, Number(values.constraints));
  const general = join(gatekeeperLibrary(), 'library/general');
  const templates = await Promise.all(
    Object.values(KINDS).map((name) => readFile(join(general, name, 'template.yaml'), 'utf8')),
  );
  await prepareGatekeeper(cluster, ['gk']);
  const operations = ['webhook', 'status', 'generate'];
  const gatekeeper = await startGatekeeperWith(
    { cluster, folder, pod: 'gk', operations },
    templates,
    Object.keys(KINDS),
  );
  closing.push(() => gatekeeper.stop());
  const guard = await startWebhook(cluster);
  const namespaces = cases.map(({ namespace }) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  }));
  await applied(cluster, listOf([...namespaces, ...cases.map(({ object }) => object)]), ['--server-side']);
  const [theirs, ours] = [createAsker(gatekeeper.webhookUrl), createAsker(guard.url)];
  closing.push(
    () => theirs.close(),
    () => ours.close(),
  );
  await untilInForce(theirs, cases);
  await untilInForce(ours, cases);
  await tryWitnesses(score, cases, theirs, ours);
  await tryRefusals(score, cluster, guard);
  await applied(
    cluster,
    listOf(
      storedWorkloads(
        seed,
        cases.slice(0, 80).map(({ namespace }) => namespace),
      ),
    ),
    ['--server-side'],
  );
  await tryTakeoverBesideGatekeeper(score, cluster);
  await gatekeeper.stop();
  await tryPreflight(score, cluster, folder);
  await tryTakeover(score, cluster, Object.keys(KINDS), cases.length);
}

/** The guard beside the constraints of the same cluster; what is needed for it and not there yet is applied. */
async function startWebhook(cluster: TestCluster): Promise<{ url: string }> {
  await applied(cluster, listOf([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'breakwater-system' } }]));
  const guard = await startGuard({ cluster, folder: join(folder, 'guard') });
  closing.push(() => guard.stop());
  return { url: guard.webhookUrl };
}

function listOf(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
