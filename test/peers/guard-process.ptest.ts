import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, openCertificates } from '../../src/admission/certificates.ts';
import type { ConstraintSource } from '../../src/admission/constraint-source.ts';
import { renderGuardManifests, WEBHOOK_CONFIGURATION } from '../../src/admission/manifests.ts';
import { createWebhookServer, type WebhookServer } from '../../src/admission/server.ts';
import { type ConstraintWatcher, createConstraintWatcher } from '../../src/audit/constraint-watcher.ts';
import { publishCaBundle } from '../../src/audit/webhook-bundle.ts';
import { NO_FACTS } from '../../src/constraints/image-facts.ts';
import { createLeaderElection } from '../../src/guard/leader.ts';
import { probe } from '../../src/guard/probe.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { leavesOutKubernetes, startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { pod } from '../support/workloads.ts';

const NAME = 'require-harbor-repo';
const GOOD = 'harbor.example.com/x:1';
const IGNORE = 'admission.gatekeeper.sh/ignore=x';

let cluster: TestCluster;
let client: KubernetesClient;
let certificates: Certificates;
let watcher: ConstraintWatcher;
let server: WebhookServer;
let folder: string;
let manifests: (failurePolicy: 'Ignore' | 'Fail') => string;
let trouble: Partial<ConstraintSource> = {};
const undecided: string[] = [];

const dryRun = (text: string) => cluster.kubectl(['create', '--dry-run=server', '-f', '-'], text);
const apply = (object: unknown) =>
  cluster.kubectl(['apply', '-f', '-'], typeof object === 'string' ? object : JSON.stringify(object));

const until = <Value>(what: string, ask: () => Value | undefined | Promise<Value | undefined>) =>
  eventually(what, ask, { pauseMs: 200 });

async function usePolicy(policy: 'Ignore' | 'Fail'): Promise<void> {
  const applied = await apply(manifests(policy));
  expect(applied.code, applied.stderr).toBe(0);
  // An API server takes up a configuration a moment later; what it does with a failure tells which one it has.
  trouble = { rules: () => undefined };
  await until(policy, async () => ((await dryRun(pod('policy', 'c', GOOD))).code === 0) === (policy === 'Ignore'));
  trouble = {};
}

describe.skipIf(leavesOutKubernetes())('the guard beside a real API server', () => {
  beforeAll(async () => {
    cluster = await startCluster();
    folder = await mkdtemp(join(tmpdir(), 'breakwater-guard-process-'));
    client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
    certificates = await openCertificates({ folder, hosts: ['127.0.0.1'], clock: systemClock });
    watcher = createConstraintWatcher({ client, clock: systemClock, logger: silentLogger, retryMs: 200 });
    const source: ConstraintSource = {
      rules: () => (trouble.rules ? trouble.rules() : watcher.rules()),
      namespaceLabels: (name) =>
        trouble.namespaceLabels ? trouble.namespaceLabels(name) : watcher.namespaceLabels(name),
      ensureNamespace: async (name) =>
        trouble.ensureNamespace ? trouble.ensureNamespace(name) : watcher.ensureNamespace?.(name),
      problem: () => undefined,
    };
    server = createWebhookServer({
      source,
      facts: { factsAbout: async () => NO_FACTS },
      logger: silentLogger,
      tls: certificates.tls(),
      exemptNamespaces: ['kube-system', 'breakwater-system', 'platform-*', '*-infra'],
      replica: 'guard-0',
      onUndecided: (why) => undecided.push(why),
    });
    const port = await server.listen({ host: '127.0.0.1', port: 0 });
    manifests = (failurePolicy) =>
      renderGuardManifests({
        constraintName: NAME,
        repos: ['harbor.example.com'],
        enforcementAction: 'deny',
        webhook: { url: `https://127.0.0.1:${port}` },
        failurePolicy,
        replicas: 2,
      });
    const applied = await apply(manifests('Ignore'));
    expect(applied, applied.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(await publishCaBundle(client, certificates.caBundle, systemClock)).toBe(true);
    await until('the webhook to deny', async () => (await dryRun(pod('warm', 'c', 'evil/x'))).stderr.includes(NAME));
  });
  afterAll(async () => {
    await watcher?.stop();
    await server?.close();
    await client?.close();
    await cluster?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('a bundle is the only thing it writes into the configuration, and applying again leaves it there', async () => {
    const get = ['get', 'validatingwebhookconfiguration', WEBHOOK_CONFIGURATION, '--show-managed-fields', '-ojson'];
    const read = async () => JSON.parse((await cluster.kubectl(get)).stdout) as Configuration;
    interface Configuration {
      metadata: { managedFields: { manager: string; fieldsV1: object }[] };
      webhooks: { name: string; clientConfig: { caBundle: string } }[];
    }
    const { metadata, webhooks } = await read();
    const ours = metadata.managedFields.find(({ manager }) => manager.startsWith('breakwater'));
    const leaves = JSON.stringify(ours?.fieldsV1).match(/"f:[a-zA-Z]+":\{\}/g);
    expect(new Set(leaves)).toEqual(new Set(['"f:caBundle":{}']));
    expect(webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle, 'base64').toString().trim())).toEqual(
      webhooks.map(() => certificates.caBundle),
    );
    await apply(manifests('Ignore'));
    expect((await read()).webhooks).toEqual(webhooks);
  });

  it.each<[string, () => Partial<ConstraintSource>]>([
    ['constraints that were not read', () => ({ rules: () => undefined })],
    [
      'a mistake of ours',
      () => ({
        rules: () => {
          throw new Error('a mistake');
        },
      }),
    ],
    [
      'our own deadline',
      () => ({ namespaceLabels: () => undefined, ensureNamespace: () => new Promise(() => undefined) }),
    ],
  ])('%s: Ignore lets in, Fail does not', { timeout: 120_000 }, async (_what, broken) => {
    for (const policy of ['Ignore', 'Fail'] as const) {
      await usePolicy(policy);
      undecided.length = 0;
      trouble = broken();
      const done = await dryRun(pod('undecided', 'c', 'evil/x'));
      trouble = {};
      expect(undecided).toHaveLength(1);
      if (policy === 'Ignore') expect(done).toMatchObject({ code: 0, stderr: '' });
      else expect(done.stderr).toContain('failed calling webhook "validation.gatekeeper.sh"');
      // And nothing else has changed.
      expect((await dryRun(pod('decided', 'c', 'evil/x'))).stderr).toContain(`[denied by ${NAME}]`);
      expect((await dryRun(pod('decided', 'c', GOOD))).code).toBe(0);
    }
    await usePolicy('Ignore');
  });

  it('a probe comes back by name, and leaves nothing', async () => {
    const deps = { client, clock: systemClock, logger: silentLogger };
    expect(await probe({ ...deps, namespace: 'default' })).toMatchObject({ outcome: 'answered' });
    expect((await cluster.kubectl(['get', 'podtemplates', '-A', '-oname'])).stdout).toBe('');
    expect(await probe({ ...deps, namespace: 'kube-system' })).toMatchObject({ outcome: 'answered' });
    // Only a webhook that fails closed leaves it out.
    await usePolicy('Fail');
    expect(await probe({ ...deps, namespace: 'kube-system' })).toMatchObject({ outcome: 'open' });
    await usePolicy('Ignore');
    expect((await cluster.kubectl(['get', 'podtemplates', '-A', '-oname'])).stdout).toBe('');
    expect(await probe({ ...deps, namespace: 'nowhere' })).toMatchObject({ outcome: 'unknown' });
  });

  it('keeps the ignore label for exempt namespaces, however it is written', async () => {
    for (const name of ['shop', 'platform-x', 'dns-infra']) await cluster.kubectl(['create', 'namespace', name]);
    const words = 'Only exempt namespace can have the admission.gatekeeper.sh/ignore label';
    const refused = `admission webhook "check-ignore-label.gatekeeper.sh" denied the request: ${words}`;
    expect((await cluster.kubectl(['label', 'namespace', 'shop', IGNORE])).stderr).toContain(refused);
    const metadata = { name: 'fresh', labels: { 'admission.gatekeeper.sh/ignore': '' } };
    expect((await apply({ apiVersion: 'v1', kind: 'Namespace', metadata })).stderr).toContain(refused);
    const patch = JSON.stringify({ metadata: { labels: { 'admission.gatekeeper.sh/ignore': 'x' } } });
    const status = ['patch', 'namespace', 'shop', '--subresource=status', '--type=merge', '-p', patch];
    expect((await cluster.kubectl(status)).stderr).toContain(words);
    for (const name of ['platform-x', 'dns-infra', 'kube-system']) {
      expect(await cluster.kubectl(['label', 'namespace', name, IGNORE])).toMatchObject({ code: 0 });
    }
    expect((await cluster.kubectl(['label', 'namespace', 'platform-x', 'team=a'])).code).toBe(0);
  });

  it('refuses a constraint that could not be used when it is applied, and takes all five kinds', async () => {
    const constraint = (kind: string, parameters: object) => ({
      apiVersion: 'constraints.gatekeeper.sh/v1beta1',
      kind,
      metadata: { name: `a-${kind.toLowerCase()}` },
      spec: { enforcementAction: 'dryrun', match: { kinds: [] }, parameters },
    });
    for (const [kind, parameters] of Object.entries({
      K8sAllowedRepos: { repos: ['harbor.example.com/'] },
      K8sAllowedReposv2: { allowedImages: ['harbor.example.com/x:1'] },
      K8sDisallowedRepos: { repos: ['evil.example.com/'] },
      K8sDisallowedTags: { tags: ['latest'] },
      K8sImageDigests: {},
    })) {
      const done = await apply(constraint(kind, parameters));
      expect(done.code, `${kind}: ${done.stderr}`).toBe(0);
    }
    const broken = constraint('K8sAllowedRepos', { repos: ['harbor.example.com/'] });
    const refused = await apply({ ...broken, spec: { ...broken.spec, match: { kinds: 'Pod' } } });
    expect(refused.stderr).toContain('admission webhook "constraints.guard.breakwater" denied the request: ');
  });

  it('has the rights it needs and none to read secrets or make pods', async () => {
    const as = ['--as=system:serviceaccount:breakwater-system:breakwater-guard'];
    const can = async (...args: string[]) => (await cluster.kubectl(['auth', 'can-i', ...args, ...as])).stdout.trim();
    const own = ['-n', 'breakwater-system'];
    expect(await can('get', 'secret/breakwater-webhook-certificates', ...own)).toBe('yes');
    expect(await can('create', 'podtemplates', '-n', 'default')).toBe('yes');
    expect(await can('patch', 'k8simagedigests.constraints.gatekeeper.sh', '--subresource=status')).toBe('yes');
    expect(await can('list', 'secrets', ...own)).toBe('no');
    expect(await can('get', 'secret/other', ...own)).toBe('no');
    expect(await can('get', 'secret/breakwater-webhook-certificates', '-n', 'default')).toBe('no');
    expect(await can('create', 'pods', '-n', 'default')).toBe('no');
    expect(await can('create', 'podtemplates', '-n', 'shop')).toBe('no');
    expect(await can('patch', `validatingwebhookconfiguration/${WEBHOOK_CONFIGURATION}`)).toBe('yes');
    expect(await can('patch', 'validatingwebhookconfiguration/other')).toBe('no');
  });

  it('a real Lease is held, given back and taken over', async () => {
    const candidate = (identity: string) =>
      createLeaderElection({
        client,
        clock: systemClock,
        logger: silentLogger,
        namespace: 'breakwater-system',
        identity,
        timing: { leaseMs: 3000, renewMs: 2000, retryMs: 200 },
      });
    const first = candidate('a');
    await until('the first to lead', async () => first.isLeader());
    const second = candidate('b');
    await delay(3500);
    expect([first.isLeader(), second.isLeader()]).toEqual([true, false]);
    await first.stop();
    await until('the second to lead', async () => second.isLeader());
    const holder = [
      'get',
      'lease',
      'breakwater-guard-leader',
      '-n',
      'breakwater-system',
      '-ojsonpath={.spec.holderIdentity}',
    ];
    expect((await cluster.kubectl(holder)).stdout).toBe('b');
    await second.stop();
    expect((await cluster.kubectl(holder)).stdout).toBe('');
  });

  it('without a guard: namespaces can be made and changed, none can exempt itself, and a probe says so', async () => {
    await server.close();
    expect((await cluster.kubectl(['create', 'namespace', 'meanwhile'])).code).toBe(0);
    expect((await cluster.kubectl(['label', 'namespace', 'meanwhile', 'team=a'])).code).toBe(0);
    expect((await cluster.kubectl(['label', 'namespace', 'platform-x', 'team=b', '--overwrite'])).code).toBe(0);
    expect((await cluster.kubectl(['label', 'namespace', 'meanwhile', IGNORE])).stderr).toContain(
      'failed calling webhook',
    );
    expect((await dryRun(pod('open', 'c', 'evil/x'))).code).toBe(0);
    const deps = { client, clock: systemClock, logger: silentLogger, namespace: 'default' };
    expect(await probe(deps)).toMatchObject({ outcome: 'open' });
  });
});
