import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constraintDefinition } from '../../src/admission/constraint-definition.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { PROTOBUF } from '../../src/kubernetes/object-forms.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { attachCluster, startCluster, type TestCluster } from '../../test/support/cluster.ts';
import { applied } from '../../test/support/gatekeeper.ts';
import { findPeer } from '../../test/support/peers.ts';
import { until } from '../../test/support/program.ts';
import { median, plain } from '../figures.ts';
import { checkoutLine, machineLine } from '../machine.ts';
import { table } from '../print.ts';
import { startMeasured } from './child.ts';
import { changePods, fillCluster, TRUSTED } from './fill.ts';
import { measureGatekeeperAudit, prepareGatekeeperAudit } from './gatekeeper-audit.ts';
import { type AuditOptions, readAuditOptions } from './options.ts';

const DEFINITION = 'k8sallowedrepos.constraints.gatekeeper.sh';
const DEFINITION_MS = 60_000;
const CHANGED_SHARE = 0.01;

interface Listed {
  readonly ms: number;
  readonly bytes: number;
}
interface Pass {
  readonly ms: number;
  readonly listedMs?: number;
  readonly objects: number;
  readonly violations: number;
  readonly incomplete: readonly object[];
  readonly peakMB: number;
}

const options = readAuditOptions(process.argv.slice(2));
const folder = await mkdtemp(join(tmpdir(), 'breakwater-bench-audit-'));
const cluster = options.kubeconfig === undefined ? await startCluster() : attachCluster(options.kubeconfig);
const client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
try {
  console.log(`${await checkoutLine()}\nMachine: ${machineLine()}`);
  if (options.kubeconfig === undefined) {
    console.log(`Filling: ${options.pods} pods in ${options.namespaces} namespaces`);
    const started = performance.now();
    await fillCluster(client, options);
    console.log(`Filled in ${Math.round((performance.now() - started) / 1000)} s`);
  }
  if (options.fillOnly) await interrupted(cluster);
  else {
    await measure(cluster, options);
    if (options.keep) await interrupted(cluster);
  }
} finally {
  await client.close();
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
}

async function measure(target: TestCluster, { rounds }: AuditOptions): Promise<void> {
  const withGatekeeper = findPeer('gatekeeper') !== undefined;
  if (withGatekeeper) await prepareGatekeeperAudit(target, folder);
  else await applied(target, JSON.stringify(constraintDefinition('K8sAllowedRepos')));
  await applyConstraint(target);

  const lists = { json: [] as number[], protobuf: [] as number[] };
  const firsts: Pass[] = [];
  const nexts: Pass[] = [];
  const idles: Pass[] = [];
  const changed = Math.max(1, Math.round(options.pods * CHANGED_SHARE));
  for (let round = 0; round < rounds; round += 1) {
    const json = await listOnce(target, 'application/json');
    lists.json.push(json.ms);
    if (round === 0) console.log(`A list of everything as JSON: ${plain(json.bytes / 1024 ** 2)} MB`);
    lists.protobuf.push((await listOnce(target, PROTOBUF)).ms);
    const ours = startMeasured('our-audit.ts', [target.kubeconfig, await mkdtemp(join(folder, 'ours-'))]);
    firsts.push(await ours.next<Pass>());
    await changePods(client, options, CHANGED_SHARE);
    ours.go();
    nexts.push(await ours.next<Pass>());
    ours.go();
    idles.push(await ours.next<Pass>());
    await ours.end();
  }
  const gatekeeper = withGatekeeper ? await measureGatekeeperAudit(target, folder, rounds) : undefined;

  const [first] = firsts;
  console.log(
    `\n${first?.objects ?? 0} objects, ${first?.violations ?? 0} violations${first?.incomplete.length ? ', INCOMPLETE' : ''}; ` +
      `medians of ${rounds} rounds`,
  );
  const list = median(lists.json);
  const own = median(firsts.map(({ ms }) => ms));
  const peak = Math.max(...idles.map(({ peakMB }) => peakMB));
  const rows = [
    ['what', 'seconds', 'peak MB'],
    ['paged list alone, JSON', plain(list / 1000), ''],
    ['paged list alone, protobuf', plain(median(lists.protobuf) / 1000), ''],
    ['Breakwater, first pass', plain(own / 1000), plain(Math.max(...firsts.map(({ peakMB }) => peakMB)))],
    ['  of that listing', plain(median(firsts.map(({ listedMs = 0 }) => listedMs)) / 1000), ''],
    [`Breakwater, next pass, ${changed} pods changed`, plain(median(nexts.map(({ ms }) => ms)) / 1000), plain(peak)],
    ['Breakwater, next pass, nothing changed', plain(median(idles.map(({ ms }) => ms)) / 1000), plain(peak)],
    ...(gatekeeper
      ? [['Gatekeeper v3.23.1, each pass', plain(median(gatekeeper.seconds)), plain(gatekeeper.peakMB)]]
      : []),
  ];
  console.log(table(rows));
  console.log(`\nFirst pass beside the paged list (JSON): ${plain(own / list)}x its time (goal: at most 2x)`);
  if (gatekeeper)
    console.log(
      `First pass beside Gatekeeper's pass: ${plain((median(gatekeeper.seconds) * 1000) / own)}x as fast (goal: at least 2x)`,
    );
  else console.log('Gatekeeper is not measured: it was not built (dev/peers/peers gatekeeper)');
  console.log('Goals at 100,000 pods in 2,000 namespaces: first pass 60 s, next pass 3 s, 300 MB');
}

async function listOnce(target: TestCluster, accept: string): Promise<Listed> {
  const measured = startMeasured('paged-list.ts', [target.kubeconfig, accept]);
  const listed = await measured.next<Listed>();
  await measured.end();
  return listed;
}

async function applyConstraint(target: TestCluster): Promise<void> {
  const constraint = JSON.stringify({
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind: 'K8sAllowedRepos',
    metadata: { name: 'bench' },
    spec: {
      enforcementAction: 'dryrun',
      match: { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] },
      parameters: { repos: [`${TRUSTED}/`] },
    },
  });
  await until(async () => (await target.kubectl(['apply', '-f', '-'], constraint)).code === 0, {
    limitMs: DEFINITION_MS,
    describe: () => `${DEFINITION} does not take a constraint`,
    pauseMs: 300,
  });
}

/** Keeps the cluster until somebody interrupts, so that filling happens once for many measurements. */
async function interrupted(target: TestCluster): Promise<void> {
  console.log(`\nThe cluster stays until you interrupt: npm run bench:audit -- --kubeconfig ${target.kubeconfig}`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
