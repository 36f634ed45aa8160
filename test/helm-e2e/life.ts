import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestCluster } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';
import { type GuardProcess, startGuard } from '../support/guard.ts';
import { requirePeer } from '../support/peers.ts';
import { run, until } from '../support/program.ts';
import { pod } from '../support/workloads.ts';
import { CHART } from './chart-files.ts';
import { check } from './checks.ts';
import { recordDeletions } from './deletions.ts';
import { helm, NAMESPACE, plainHelm, RELEASE, type Values } from './helm.ts';
import { added, inventory } from './inventory.ts';

const CONFIGURATION = 'validatingwebhookconfiguration/breakwater-validating-webhook-configuration';
const CONSTRAINT = 'k8sallowedrepos.constraints.gatekeeper.sh/require-harbor-repo';
const REPO = 'harbor.cksc.a1ck.io';
const SEEN_MS = 60_000;
/** A definition that goes soon after it came waits for the API server to take it up first. */
const GONE_MS = 120_000;
const DOCUMENT = join(import.meta.dirname, '../../docs/guard/helm.md');

interface Webhooks {
  readonly webhooks: readonly {
    readonly name: string;
    readonly failurePolicy: string;
    readonly timeoutSeconds: number;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

/**
 * From install to nothing left, with the guard as a process of this machine: there are no nodes to run its pods. It comes with the
 * rights of the chart's service account, so a right that is missing shows. `serverSide` says how Helm writes.
 */
export async function checkLife(cluster: TestCluster, folder: string, serverSide: boolean): Promise<void> {
  const how = serverSide ? 'server-side apply' : 'three-way merge';
  const port = await freePort();
  const base: Values = {
    constraint: { repos: [REPO] },
    webhook: { url: `https://127.0.0.1:${port}` },
  };
  const flag = `--server-side=${serverSide}`;
  const before = await inventory(cluster);
  let guard: GuardProcess | undefined;
  try {
    await check(`${how}: install`, async () => {
      succeeded(await helm(['install', RELEASE, CHART, flag], base, cluster));
      const kubeconfig = await accountOf(cluster, folder);
      guard = await startGuard({ cluster, folder, kubeconfig, port });
      await untilWarned(cluster, guard);
    });
    const bundle = (await webhooksOf(cluster)).webhooks[0]?.clientConfig.caBundle ?? '';
    await check(`${how}: the guard wrote its authority into every webhook`, async () => {
      assert.match(Buffer.from(bundle, 'base64').toString(), /BEGIN CERTIFICATE/);
      for (const { clientConfig } of (await webhooksOf(cluster)).webhooks) assert.equal(clientConfig.caBundle, bundle);
    });
    await check(`${how}: an upgrade keeps the authority and what people changed of the constraint`, async () => {
      await changeAction(cluster, 'deny');
      const changed = {
        ...base,
        webhook: { ...(base['webhook'] as object), failurePolicy: 'Fail', timeoutSeconds: 5 },
        replicas: 3,
      };
      succeeded(await helm(['upgrade', RELEASE, CHART, flag], changed, cluster));
      const [validation, label] = (await webhooksOf(cluster)).webhooks;
      assert.deepEqual(
        [validation?.failurePolicy, validation?.timeoutSeconds, label?.failurePolicy],
        ['Fail', 5, 'Fail'],
      );
      for (const { clientConfig } of (await webhooksOf(cluster)).webhooks) assert.equal(clientConfig.caBundle, bundle);
      await untilDenied(cluster, guard);
      assert.equal(await actionOf(cluster), 'deny');
    });
    await check(`${how}: an upgrade with other repositories changes the constraint`, async () => {
      const other = { ...base, constraint: { repos: [REPO, 'quay.io/team'] } };
      succeeded(await helm(['upgrade', RELEASE, CHART, flag], other, cluster));
      await until(async () => (await shown(cluster, CONSTRAINT, '{.spec.parameters.repos}')).includes('quay.io/team'), {
        limitMs: SEEN_MS,
        describe: () => 'the guard did not take up the changed constraint:',
        ...(guard ? { service: guard.service } : {}),
        pauseMs: 300,
      });
    });
    await check(`${how}: a rollback keeps the authority`, async () => {
      succeeded(await plainHelm(['rollback', RELEASE, '1', flag], cluster));
      for (const { clientConfig } of (await webhooksOf(cluster)).webhooks) assert.equal(clientConfig.caBundle, bundle);
    });
    await check(`${how}: uninstalling removes the webhooks before anything else`, async () => {
      const recorder = await recordDeletions(cluster);
      succeeded(await plainHelm(['uninstall', RELEASE], cluster));
      const deleted = await recorder.stop();
      assert.equal(deleted[0]?.kind, 'ValidatingWebhookConfiguration', JSON.stringify(deleted));
      assert.ok(deleted.some(({ kind }) => kind === 'Deployment'));
      succeeded(await cluster.kubectl(['apply', '-f', '-'], pod('after', 'main', 'nginx')));
      succeeded(await cluster.kubectl(['delete', 'pod', 'after', '--grace-period=0', '--force']));
    });
  } finally {
    await guard?.stop();
  }
  await check(`${how}: only what the documentation names is left, and its commands remove it`, async () => {
    const left = added(before, await inventory(cluster));
    assert.ok(
      left.some((name) => name.endsWith('/k8sallowedrepos.constraints.gatekeeper.sh')),
      left.join('\n'),
    );
    assert.ok(
      left.some((name) => name.includes('require-harbor-repo')),
      left.join('\n'),
    );
    const text = await readFile(DOCUMENT, 'utf8');
    const block = /## What is left[\s\S]*?```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    assert.notEqual(block, '', 'docs/guard/helm.md has no commands under "What is left"');
    await shell(cluster, block);
    await nothingLeft(cluster, before);
  });
  await check(`${how}: definitions.keep=false takes definitions and constraints along`, async () => {
    succeeded(await helm(['install', RELEASE, CHART, flag], { ...base, definitions: { keep: false } }, cluster));
    succeeded(await plainHelm(['uninstall', RELEASE], cluster));
    await nothingLeft(cluster, before);
  });
  await check(`${how}: definitions that were kept are taken over by the next install`, async () => {
    succeeded(await helm(['install', RELEASE, CHART, flag], base, cluster));
    succeeded(await plainHelm(['uninstall', RELEASE], cluster));
    succeeded(await helm(['install', RELEASE, CHART, flag], { ...base, definitions: { keep: false } }, cluster));
    succeeded(await plainHelm(['uninstall', RELEASE], cluster));
    await nothingLeft(cluster, before);
  });
}

/** What an API server makes of definitions goes a moment after them. */
async function nothingLeft(cluster: TestCluster, before: ReadonlySet<string>): Promise<void> {
  const end = performance.now() + GONE_MS;
  for (;;) {
    const left = added(before, await inventory(cluster));
    if (left.length === 0) return;
    if (performance.now() > end) assert.deepEqual(left, []);
  }
}

function succeeded(outcome: { readonly code: number; readonly stdout: string; readonly stderr: string }): void {
  assert.equal(outcome.code, 0, `${outcome.stdout}\n${outcome.stderr}`);
}

async function webhooksOf(cluster: TestCluster): Promise<Webhooks> {
  const outcome = await cluster.kubectl(['get', CONFIGURATION, '-ojson']);
  succeeded(outcome);
  return JSON.parse(outcome.stdout) as Webhooks;
}

async function shown(cluster: TestCluster, what: string, path: string): Promise<string> {
  return (await cluster.kubectl(['get', what, `-ojsonpath=${path}`])).stdout;
}

function actionOf(cluster: TestCluster): Promise<string> {
  return shown(cluster, CONSTRAINT, '{.spec.enforcementAction}');
}

async function changeAction(cluster: TestCluster, action: string): Promise<void> {
  const patch = JSON.stringify({ spec: { enforcementAction: action } });
  succeeded(await cluster.kubectl(['patch', CONSTRAINT, '--type=merge', '-p', patch]));
}

function untilWarned(cluster: TestCluster, guard: GuardProcess): Promise<void> {
  return untilSaid(
    cluster,
    guard,
    /Warning: \[require-harbor-repo\] container "main" has an invalid image repo "nginx"/,
  );
}

function untilDenied(cluster: TestCluster, guard: GuardProcess | undefined): Promise<void> {
  return untilSaid(cluster, guard, /denied the request: \[denied by require-harbor-repo\] container "main"/);
}

async function untilSaid(cluster: TestCluster, guard: GuardProcess | undefined, words: RegExp): Promise<void> {
  let said = '';
  await until(
    async () => {
      const outcome = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], pod('asks', 'main', 'nginx'));
      said = outcome.stderr;
      return words.test(said);
    },
    {
      limitMs: SEEN_MS,
      describe: () => `the webhook does not say ${String(words)}; kubectl says: ${said}`,
      ...(guard ? { service: guard.service } : {}),
      pauseMs: 300,
    },
  );
}

/** A kubeconfig with the rights of the chart's service account. */
async function accountOf(cluster: TestCluster, folder: string): Promise<string> {
  const made = await cluster.kubectl(['create', 'token', 'breakwater-guard', '-n', NAMESPACE, '--duration=2h']);
  succeeded(made);
  const path = join(folder, 'service-account.kubeconfig');
  const text = await readFile(cluster.kubeconfig, 'utf8');
  const config = JSON.parse(text) as { users: { name: string; user: object }[] };
  config.users = config.users.map(({ name }) => ({ name, user: { token: made.stdout.trim() } }));
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

async function shell(cluster: TestCluster, commands: string): Promise<void> {
  const environment = {
    KUBECONFIG: cluster.kubeconfig,
    PATH: `${join(requirePeer('kubectl'), '..')}:${process.env['PATH'] ?? ''}`,
  };
  succeeded(await run('sh', ['-e', '-c', commands], { environment }));
}
