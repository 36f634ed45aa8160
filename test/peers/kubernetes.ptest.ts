import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, openCertificates } from '../../src/admission/certificates.ts';
import { renderGuardManifests, WEBHOOK_CONFIGURATION } from '../../src/admission/manifests.ts';
import { createWebhookServer, type WebhookServer } from '../../src/admission/server.ts';
import { type ConstraintWatcher, createConstraintWatcher } from '../../src/audit/constraint-watcher.ts';
import type { AuditRun } from '../../src/audit/ports.ts';
import { auditOnce } from '../../src/audit/testing.ts';
import { publishCaBundle } from '../../src/audit/webhook-bundle.ts';
import {
  type ImageFactsSource,
  type MirrorLookup,
  NO_FACTS,
  type VerdictLookup,
} from '../../src/constraints/image-facts.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { leavesOutKubernetes, startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { deployment, owned, pod } from '../support/workloads.ts';

const CONSTRAINT = 'k8sallowedrepos.constraints.gatekeeper.sh';
const NAME = 'require-harbor-repo';
const TRUSTED = 'harbor.cksc.a1ck.io';
const IMAGE = 'harbor.example.com/demo/welkin-user-demo:1.16.0';
const SENTENCE = `container "welkin-user-demo" has an invalid image repo "${IMAGE}", allowed repos are ["${TRUSTED}"]`;
const BLOCKED = `${TRUSTED}/front/alpine:3.10`;
const BLOCKED_SENTENCE = `container "main" has a blocked image "${BLOCKED}": CVE-2019-14697 in musl 1.1.22-r2, fixed in 1.1.22-r3`;

const verdicts: VerdictLookup = {
  verdictOf: ({ repository }) =>
    repository === 'front/alpine'
      ? { kind: 'block', sentence: 'CVE-2019-14697 in musl 1.1.22-r2, fixed in 1.1.22-r3' }
      : undefined,
};
const mirrors: MirrorLookup = {
  addressOf: ({ repository, tag }) =>
    repository === 'library/nginx' ? `${TRUSTED}/hub/library/nginx:${tag ?? 'latest'}` : undefined,
};
const facts: ImageFactsSource = { factsAbout: async () => ({ ...NO_FACTS, verdicts, mirrors }) };

let cluster: TestCluster;
let client: KubernetesClient;
let certificates: Certificates;
let watcher: ConstraintWatcher;
let server: WebhookServer;
let manifests: string;
let folder: string;
const runs: AuditRun[] = [];

async function apply(text: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return cluster.kubectl(['apply', '-f', '-'], text);
}

const until = <Value>(what: string, ask: () => Value | undefined | Promise<Value | undefined>) =>
  eventually(what, ask, { limitMs: 20_000 });

/** The API server takes up a new webhook configuration a moment after it was stored. */
async function warm(): Promise<void> {
  await until('the webhook to be asked', async () => {
    const asked = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], pod('warm', 'c', 'nginx'));
    return asked.stderr.includes(NAME) || undefined;
  });
}

async function setAction(action: string): Promise<void> {
  const patch = JSON.stringify({ spec: { enforcementAction: action } });
  const done = await cluster.kubectl(['patch', CONSTRAINT, NAME, '--type=merge', '-p', patch]);
  expect(done.code, done.stderr).toBe(0);
  await until(
    `the guard to see ${action}`,
    () => watcher.rules()?.constraints[0]?.enforcementAction === action || undefined,
  );
}

async function audit(): Promise<AuditRun> {
  const run = await auditOnce(client, systemClock, { facts, cluster: 'test' });
  runs.push(run);
  return run;
}

describe.skipIf(leavesOutKubernetes())('a real API server', () => {
  beforeAll(async () => {
    cluster = await startCluster();
    folder = await mkdtemp(join(tmpdir(), 'breakwater-guard-'));
    client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
    certificates = await openCertificates({ folder, hosts: ['127.0.0.1'], clock: systemClock });
    watcher = createConstraintWatcher({ client, clock: systemClock, logger: silentLogger, retryMs: 200 });
    server = createWebhookServer({
      source: watcher,
      facts,
      logger: silentLogger,
      tls: certificates.tls(),
      exemptNamespaces: ['kube-system'],
    });
    const port = await server.listen({ host: '127.0.0.1', port: 0 });
    manifests = renderGuardManifests({
      constraintName: NAME,
      repos: [TRUSTED],
      enforcementAction: 'warn',
      webhook: { url: `https://127.0.0.1:${port}` },
      caBundle: certificates.caBundle,
    });
  });
  afterAll(async () => {
    await watcher?.stop();
    await server?.close();
    await client?.close();
    await cluster?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('one apply of the guard manifests sets everything up, a second one changes nothing', async () => {
    const first = await apply(manifests);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(`customresourcedefinition.apiextensions.k8s.io/${CONSTRAINT} created`);
    expect(first.stdout).toContain(`${WEBHOOK_CONFIGURATION} created`);
    await until('the constraint', () => (watcher.rules()?.constraints.length === 1 ? true : undefined));
    expect(watcher.rules()?.constraints[0]).toMatchObject({
      name: NAME,
      enforcementAction: 'warn',
      rule: { list: [TRUSTED] },
    });
    expect(watcher.problem()).toBeUndefined();
    const second = await apply(manifests);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).not.toMatch(/created|configured/);
    await warm();
  });

  it('warns in the exact words and creates the pod all the same', async () => {
    const done = await apply(pod('warned', 'welkin-user-demo', IMAGE));
    expect(done).toEqual({ code: 0, stdout: 'pod/warned created\n', stderr: `Warning: [${NAME}] ${SENTENCE}\n` });
  });

  it('warns about templates and trusted but blocked images at apply time', async () => {
    expect((await apply(deployment('web', 'nginx:1.27'))).stderr).toBe(
      `Warning: [${NAME}] container "main" has an invalid image repo "nginx:1.27", allowed repos are ["${TRUSTED}"]\n` +
        `Warning: [${NAME}] a copy of "nginx:1.27" is served as "${TRUSTED}/hub/library/nginx:1.27": use that address\n`,
    );
    const blocked = await apply(pod('blocked', 'main', BLOCKED));
    expect(blocked).toMatchObject({ code: 0, stderr: `Warning: [${NAME}] ${BLOCKED_SENTENCE}\n` });
    const good = await apply(pod('good', 'main', `${TRUSTED}/front/busybox:1`));
    expect(good).toEqual({ code: 0, stdout: 'pod/good created\n', stderr: '' });
  });

  it('sees what kubectl debug does', async () => {
    const debug = [
      'debug',
      'good',
      '--image=busybox:1.36',
      '--container=debugger',
      '--profile=general',
      '--attach=false',
    ];
    const done = await cluster.kubectl(debug);
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).toContain(
      `Warning: [${NAME}] ephemeralContainer "debugger" has an invalid image repo "busybox:1.36", allowed repos are ["${TRUSTED}"]\n`,
    );
  });

  it('denies in the exact words once it is told to', async () => {
    await setAction('deny');
    const denied = await apply(pod('denied', 'welkin-user-demo', IMAGE));
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain(
      `admission webhook "validation.gatekeeper.sh" denied the request: [denied by ${NAME}] ${SENTENCE}\n`,
    );
    expect((await cluster.kubectl(['get', 'pod', 'denied'])).stderr).toContain('not found');
    const blocked = await apply(pod('blocked-2', 'main', BLOCKED));
    expect(blocked.stderr).toContain(`denied the request: [denied by ${NAME}] ${BLOCKED_SENTENCE}\n`);
    const hinted = await apply(deployment('web-2', 'nginx:1.27'));
    expect(hinted.stderr).toContain(
      `allowed repos are ["${TRUSTED}"]\na copy of "nginx:1.27" is served as "${TRUSTED}/hub/library/nginx:1.27"`,
    );
    const debug = [
      'debug',
      'good',
      '--image=busybox:1.37',
      '--container=debugger-2',
      '--profile=general',
      '--attach=false',
    ];
    expect((await cluster.kubectl(debug)).stderr).toContain(
      '[denied by require-harbor-repo] ephemeralContainer "debugger-2"',
    );
  });

  it('an update that brings no new image goes through with a warning', async () => {
    const scaled = await cluster.kubectl(['label', 'deployment', 'web', 'touched=yes']);
    expect(scaled).toMatchObject({ code: 0, stdout: 'deployment.apps/web labeled\n' });
    expect(scaled.stderr).toContain(`Warning: [${NAME}] container "main" has an invalid image repo "nginx:1.27"`);
    const changed = await cluster.kubectl(['set', 'image', 'deployment/web', 'main=httpd:2']);
    expect(changed.stderr).toContain('denied the request');
  });

  it('a namespace cannot exempt itself', async () => {
    await apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }));
    const label = 'admission.gatekeeper.sh/ignore=please';
    expect((await cluster.kubectl(['label', 'namespace', 'shop', label])).stderr).toContain(
      'admission webhook "check-ignore-label.gatekeeper.sh" denied the request: ' +
        'Only exempt namespace can have the admission.gatekeeper.sh/ignore label',
    );
    expect((await cluster.kubectl(['label', 'namespace', 'kube-system', label])).code).toBe(0);
  });

  it('a constraint selects namespaces by label', async () => {
    const selector = {
      match: { namespaceSelector: { matchExpressions: [{ key: 'owner', operator: 'NotIn', values: ['operator'] }] } },
    };
    const patch = JSON.stringify({ spec: selector });
    expect((await cluster.kubectl(['patch', CONSTRAINT, NAME, '--type=merge', '-p', patch])).code).toBe(0);
    await until('the selector', () => (watcher.rules()?.constraints[0]?.match.namespaceSelector ? true : undefined));
    const operator = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'operator', labels: { owner: 'operator' } },
    };
    await apply(JSON.stringify(operator));
    expect(await apply(pod('free', 'c', 'nginx', 'operator'))).toMatchObject({ code: 0, stderr: '' });
    expect((await apply(pod('bound', 'c', 'nginx', 'shop'))).code).toBe(1);
  });

  it('the audit fills what the documented command prints', async () => {
    await setAction('warn');
    const run = await audit();
    expect(run.incomplete).toEqual([]);
    expect(runs).toContain(run);
    const shown = await cluster.kubectl(['get', CONSTRAINT, NAME, '-ojson']);
    const printed: unknown = JSON.parse(execFileSync('jq', ['.status.violations'], { input: shown.stdout }).toString());
    const common = { enforcementAction: 'warn', namespace: 'default' };
    expect(printed).toEqual([
      {
        ...common,
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        name: 'web',
        message: `container "main" has an invalid image repo "nginx:1.27", allowed repos are ["${TRUSTED}"]`,
      },
      { ...common, group: '', version: 'v1', kind: 'Pod', name: 'warned', message: SENTENCE },
      {
        ...common,
        group: '',
        version: 'v1',
        kind: 'Pod',
        name: 'good',
        message: `ephemeralContainer "debugger" has an invalid image repo "busybox:1.36", allowed repos are ["${TRUSTED}"]`,
      },
      { ...common, group: '', version: 'v1', kind: 'Pod', name: 'blocked', message: BLOCKED_SENTENCE },
    ]);
    const { status } = JSON.parse(shown.stdout) as {
      status: { totalViolations: number; auditTimestamp: string; byPod: object[] };
    };
    expect(status.totalViolations).toBe(4);
    expect(status.auditTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(status.byPod).toMatchObject([{ id: 'guard-0', enforced: true }]);
    const listed = await cluster.kubectl(['get', 'constraints']);
    expect(listed.stdout).toMatch(/ENFORCEMENT-ACTION\s+TOTAL-VIOLATIONS\s+.*require-harbor-repo\s+warn\s+4/s);
    expect(run.running.map(({ name, container }) => `${name}/${container}`)).toEqual(
      expect.arrayContaining(['good/main', 'good/debugger', 'warned/welkin-user-demo']),
    );
  });

  it('an owner speaks for its pods, retired ReplicaSets for nobody, and only 20 are kept', async () => {
    const uid = (await cluster.kubectl(['get', 'deployment', 'web', '-ojsonpath={.metadata.uid}'])).stdout;
    const containers = [{ name: 'main', image: 'nginx:1.27' }];
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers } };
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid, controller: true };
    const set = { selector: { matchLabels: { app: 'web' } }, template };
    await apply(owned('apps/v1', 'ReplicaSet', 'web-1', owner, { ...set, replicas: 1 }));
    await apply(owned('apps/v1', 'ReplicaSet', 'web-0', { ...owner, uid: 'gone' }, { ...set, replicas: 0 }));
    const setUid = (await cluster.kubectl(['get', 'rs', 'web-1', '-ojsonpath={.metadata.uid}'])).stdout;
    const setOwner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: setUid, controller: true };
    await apply(
      owned('v1', 'Pod', 'web-1-a', setOwner, { containers: [...containers, { name: 'sidecar', image: 'evil:1' }] }),
    );
    const many = Array.from({ length: 30 }, (_, index) =>
      pod(`many-${String(index).padStart(2, '0')}`, 'c', 'nginx:9'),
    );
    await apply(many.join('\n---\n'));

    const run = await audit();
    const about = (name: string) =>
      run.violations.filter((one) => one.name === name).map(({ message }) => message.split(' has ')[0]);
    expect(about('web')).toEqual(['container "main"']);
    expect([about('web-1'), about('web-0')]).toEqual([[], []]);
    expect(about('web-1-a')).toEqual(['container "sidecar"']);
    expect(run.running.find(({ container }) => container === 'sidecar')).toMatchObject({
      kind: 'Deployment',
      name: 'web',
    });
    expect(run.violations).toHaveLength(35);
    const shown = await cluster.kubectl([
      'get',
      CONSTRAINT,
      NAME,
      '-ojsonpath={.status.totalViolations} {.status.violations[*].name}',
    ]);
    const names = shown.stdout.split(' ');
    expect(names[0]).toBe('35');
    expect(names.slice(1)).toHaveLength(20);
    expect(names.slice(1)).toEqual(names.slice(1).sort().reverse());
    const again = await audit();
    expect(again.violations).toEqual(run.violations);
  });

  it('the list disappears when there is nothing to list', async () => {
    const patch = JSON.stringify({ spec: { parameters: { repos: [TRUSTED, 'docker.io', 'harbor.example.com'] } } });
    await cluster.kubectl(['patch', CONSTRAINT, NAME, '--type=merge', '-p', patch]);
    await cluster.kubectl(['delete', 'pod', 'blocked', '--grace-period=0', '--force']);
    await audit();
    const shown = await cluster.kubectl(['get', CONSTRAINT, NAME, '-ojson']);
    const { status } = JSON.parse(shown.stdout) as { status: Record<string, unknown> };
    expect(status['totalViolations']).toBe(0);
    expect(status).not.toHaveProperty('violations');
  });

  it('the rights in the manifests are enough for all of it, and no more', async () => {
    const token = (
      await cluster.kubectl(['create', 'token', 'breakwater-guard', '-n', 'breakwater-system'])
    ).stdout.trim();
    const admin = loadKubeconfig(cluster.kubeconfig);
    const guard = createKubernetesClient({ ...admin, token }, systemClock);
    const run = await auditOnce(guard, systemClock, { facts, cluster: 'test', pod: 'guard-1' });
    expect(run.incomplete).toEqual([]);
    const ids = await cluster.kubectl(['get', CONSTRAINT, NAME, '-ojsonpath={.status.byPod[*].id}']);
    expect(ids.stdout).toBe('guard-0 guard-1');
    const { caBundle } = certificates;
    expect(await publishCaBundle(guard, caBundle, systemClock)).toBe(false);
    const other = await openCertificates({ folder: join(folder, 'other'), hosts: ['127.0.0.1'], clock: systemClock });
    server.replaceCertificate(other.tls());
    server.app.server.closeAllConnections();
    expect(await publishCaBundle(guard, other.caBundle, systemClock)).toBe(true);
    await until('the new authority to be trusted', async () => {
      const asked = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], pod('rotated', 'c', 'quay.io/x'));
      return asked.stderr.includes(NAME) || undefined;
    });
    await expect(guard.get('/api/v1/secrets')).rejects.toMatchObject({ code: 'denied' });
    await guard.close();
  });

  it('a removed constraint stays removed, and the guard sees it go', async () => {
    await cluster.kubectl(['delete', CONSTRAINT, NAME]);
    await until('no constraint', () => (watcher.rules()?.constraints.length === 0 ? true : undefined));
    const other = createConstraintWatcher({ client, clock: systemClock, logger: silentLogger });
    await until('the other guard', () => other.rules());
    const repeated = await apply(manifests);
    expect(repeated).toMatchObject({ code: 0, stderr: '' });
    await delay(500);
    expect(other.rules()?.constraints).toEqual([]);
    await other.stop();
  });

  it('fails open when the webhook is away, as the manifests say', async () => {
    await server.close();
    expect((await apply(pod('open', 'c', 'nginx'))).code).toBe(0);
  });
});
