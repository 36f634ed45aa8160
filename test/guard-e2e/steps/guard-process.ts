import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { renderGuardManifests } from '../../../src/admission/manifests.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { type Service, startService } from '../../support/program.ts';
import { check, heading, holds, same } from '../check.ts';
import { type Asker, constraint, type Json, ON_CALL, type Stage } from '../stage.ts';
import { ownedBy, simple } from '../workloads.ts';

const RAN = 'evil.example.com/long-running:1';
const NAME = 'require-harbor-repo';
const RULE = constraint('K8sAllowedRepos', NAME, 'deny', { repos: ['harbor.cksc.a1ck.io'] });
const SENTENCE = `container "main" has an invalid image repo "${RAN}", allowed repos are ["harbor.cksc.a1ck.io"]`;
const REPLICASETS: Asker = { user: 'system:serviceaccount:kube-system:replicaset-controller' };
const DEPLOYMENTS: Asker = { user: 'system:serviceaccount:kube-system:deployment-controller' };
const REPORT_KINDS = ['policyreports.wgpolicyk8s.io', 'reports.openreports.io'];
const REPORT_DEFINITIONS = join(import.meta.dirname, '../../peers/testdata/report-definitions');
const BOB: Asker = { user: 'bob', groups: [ON_CALL] };

/** `breakwater guard serve`, the program itself: what it knows of the cluster it has from the API server alone. */
export async function guardProcess(stage: Stage): Promise<void> {
  heading('The guard as a program of its own');
  await defineReports(stage);
  await stage.constraints([]);
  const set = await deploy(stage, 'old');
  const idle = await deploy(stage, 'idle');
  await runs(stage, set, 'old-1-a');
  await stage.constraints([RULE]);
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-guard-program-'));
  const service = await start(stage, folder);
  try {
    await check('it denies, once it is asked', () => untilDenied(stage, service));
    await restarts(stage, set, idle);
    await check('it honours break-glass of the group in its settings', async () => {
      const annotations = { 'breakwater/break-glass': 'OPS-8 shop is down' };
      const asked = await stage.apply([simple('Deployment', 'shop', RAN, { annotations })], ['create'], BOB);
      same(asked.code, 0, asked.stderr);
      holds(asked.stderr, 'let in by break-glass (bob: OPS-8 shop is down)');
    });
    await check('its audit says in the status what its webhook says', async () => {
      const violations = await eventually('violations in the status', async () => {
        const found = await stage.get('k8sallowedrepos', NAME);
        const { status } = found as { status?: { violations?: { kind: string; name: string; message: string }[] } };
        return status?.violations?.some(({ name }) => name === 'shop') ? status.violations : undefined;
      });
      const about = violations.filter(({ name }) => ['old', 'shop'].includes(name));
      same(
        about
          .map(({ kind, name, message }) => [kind, name, message])
          .sort(([, a = ''], [, b = '']) => (a < b ? -1 : 1)),
        ['old', 'shop'].map((name) => ['Deployment', name, SENTENCE]),
      );
    });
    await reports(stage);
  } finally {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the audit found, in both forms that tools of a cluster look for. */
async function reports(stage: Stage): Promise<void> {
  for (const kind of REPORT_KINDS) {
    await check(`its audit writes ${kind}`, async () => {
      const results = await eventually(kind, async () => {
        const { stdout } = await stage.kubectl(['get', kind, '-n', 'default', '-ojson']);
        const { items } = JSON.parse(stdout) as { items: { results?: Result[] }[] };
        const found = items.flatMap((report) => report.results ?? []);
        return found.some((one) => nameIn(one) === 'shop') ? found : undefined;
      });
      const shop = results.filter((one) => nameIn(one) === 'shop');
      same(
        shop.map(({ policy, result, message, description }) => [policy, result, message ?? description]),
        [[NAME, 'fail', SENTENCE]],
      );
    });
  }
}

interface Result {
  readonly policy: string;
  readonly result: string;
  readonly message?: string;
  readonly description?: string;
  readonly resources?: readonly { readonly name: string }[];
  readonly subjects?: readonly { readonly name: string }[];
}

function nameIn({ resources, subjects }: Result): string | undefined {
  return (resources ?? subjects)?.[0]?.name;
}

async function defineReports(stage: Stage): Promise<void> {
  const names = (await readdir(REPORT_DEFINITIONS)).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(names.map((name) => readFile(join(REPORT_DEFINITIONS, name), 'utf8')));
  const done = await stage.kubectl(['apply', '--server-side', '-f', '-'], texts.join('\n---\n'));
  same(done.code, 0, done.stderr);
  for (const kind of REPORT_KINDS) {
    await eventually(kind, async () => (await stage.kubectl(['get', kind, '-A'])).code === 0 || undefined);
  }
}

async function restarts(stage: Stage, set: Json, idle: Json): Promise<void> {
  await check('it lets come back what a node reported to run before the rule', async () => {
    const asked = await stage.apply([ownedBy(set, simple('Pod', 'old-1-b', RAN))], ['create'], REPLICASETS);
    same(asked.code, 0, asked.stderr);
    holds(asked.stderr, `as a restart of Deployment default/old, taken for the same image by its text: ${SENTENCE}`);
  });
  await check('it denies the same image for an owner that never ran it', async () => {
    const asked = await stage.apply([ownedBy(idle, simple('Pod', 'idle-1-a', RAN))], ['create'], REPLICASETS);
    same(asked.code, 1, asked.stderr);
    holds(asked.stderr, `[denied by ${NAME}] ${SENTENCE}`);
  });
}

/** A Deployment and its ReplicaSet; gives the ReplicaSet. */
async function deploy(stage: Stage, name: string): Promise<Json> {
  await stage.apply([simple('Deployment', name, RAN)]);
  const owner = await stage.get('deployment', name);
  await stage.apply([ownedBy(owner, simple('ReplicaSet', `${name}-1`, RAN))], ['create'], DEPLOYMENTS);
  return stage.get('replicaset', `${name}-1`);
}

/** A pod of that ReplicaSet that has been running for two hours, as its node would report it. */
async function runs(stage: Stage, set: Json, name: string): Promise<void> {
  await stage.apply([ownedBy(set, simple('Pod', name, RAN))], ['create'], REPLICASETS);
  const startedAt = new Date(Date.now() - 7_200_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const container = {
    name: 'main',
    image: RAN,
    imageID: `evil.example.com/long-running@sha256:${'c'.repeat(64)}`,
    containerID: `containerd://${'d'.repeat(64)}`,
    ready: true,
    restartCount: 0,
    state: { running: { startedAt } },
  };
  const status = { phase: 'Running', startTime: startedAt, containerStatuses: [container] };
  const patch = ['patch', 'pod', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
  const { code, stderr } = await stage.kubectl(patch);
  same(code, 0, stderr);
}

async function start(stage: Stage, folder: string): Promise<Service> {
  const [webhook, metrics] = await Promise.all([freePort(), freePort()]);
  const service = await startService(
    process.execPath,
    [
      resolve(import.meta.dirname, '../../../bin/breakwater.mjs'),
      'guard',
      'serve',
      '--kubeconfig',
      stage.cluster.kubeconfig,
    ],
    {
      environment: {
        BREAKWATER_DATA_DIR: folder,
        BREAKWATER_WEBHOOK_LISTEN: `127.0.0.1:${webhook}`,
        BREAKWATER_METRICS_LISTEN: `127.0.0.1:${metrics}`,
        BREAKWATER_WEBHOOK_HOSTS: '127.0.0.1',
        BREAKWATER_AUDIT_INTERVAL_SECONDS: '5',
        BREAKWATER_AUDIT_REPORTS: 'auto',
        BREAKWATER_GUARD_BREAK_GLASS_GROUPS: ON_CALL,
        BREAKWATER_GUARD_SETTLE_SECONDS: '1',
        BREAKWATER_GUARD_HEARTBEAT_SECONDS: '1',
        BREAKWATER_GUARD_DRAIN_SECONDS: '0',
      },
    },
  );
  // Without a bundle: the guard writes it into the configuration itself.
  const manifests = renderGuardManifests({
    constraintName: NAME,
    repos: ['harbor.cksc.a1ck.io'],
    enforcementAction: 'deny',
    webhook: { url: `https://127.0.0.1:${webhook}` },
  });
  await stage.kubectl(['delete', 'validatingwebhookconfiguration', 'breakwater-validating-webhook-configuration']);
  const applied = await stage.kubectl(['apply', '-f', '-'], manifests);
  same(applied.code, 0, applied.stderr);
  return service;
}

async function untilDenied(stage: Stage, service: Service): Promise<void> {
  await eventually(`a denial; the guard said: ${service.output()}`, async () => {
    const asked = await stage.apply([simple('Pod', 'warm', RAN)], ['create', '--dry-run=server']);
    return asked.stderr.includes(`[denied by ${NAME}]`) || undefined;
  });
}
