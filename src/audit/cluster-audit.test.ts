import { describe, expect, it } from 'vitest';
import { type ImageVerdict, NO_FACTS } from '../constraints/image-facts.ts';
import { AUDITED_KINDS, type AuditedKind, CONSTRAINTS_PATH, NAMESPACES_PATH } from '../constraints/paths.ts';
import { testConstraint } from '../constraints/testing.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import { type FakeCluster, fakeCluster } from '../kubernetes/testing.ts';
import { fixedClock } from '../platform/clock.ts';
import type { ClusterAuditDeps } from './cluster-audit.ts';
import { auditStatus, cutBytes } from './constraint-status.ts';
import { HeldWorkload } from './held-workload.ts';
import type { AuditRun } from './ports.ts';
import type { ReportedViolation } from './reported-violations.ts';
import { auditOnce, followCluster } from './testing.ts';

const START = Date.UTC(2026, 0, 1, 12);
const POD: AuditedKind = { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods' };
const DIGEST = `sha256:${'c'.repeat(64)}`;

function constraintObject(spec: object = {}, annotations: Record<string, string> = {}): Record<string, unknown> {
  return {
    metadata: { name: 'require-harbor-repo', uid: 'u', generation: 3, annotations },
    spec: { enforcementAction: 'warn', parameters: { repos: ['a.io'] }, ...spec },
  };
}

function cluster(objects: Record<string, Record<string, unknown>[]>): FakeCluster {
  const fake = fakeCluster();
  for (const { kind, path } of AUDITED_KINDS) fake.collections.set(path, objects[kind] ?? []);
  fake.collections.set(CONSTRAINTS_PATH, objects['K8sAllowedRepos'] ?? [constraintObject()]);
  fake.collections.set(NAMESPACES_PATH, objects['Namespace'] ?? [{ metadata: { name: 'demo', labels: {} } }]);
  return fake;
}

async function audit(client: FakeCluster, more: Partial<ClusterAuditDeps> = {}): Promise<AuditRun> {
  return auditOnce(client, fixedClock(START), more);
}

function pod(name: string, image: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { metadata: { name, namespace: 'demo', uid: name, ...more }, spec: { containers: [{ name: 'c', image }] } };
}

function owner(uid: string): Record<string, unknown> {
  return { ownerReferences: [{ apiVersion: 'x', kind: 'x', name: 'x', uid, controller: true }] };
}

function template(
  name: string,
  image: string,
  more: Record<string, unknown> = {},
  spec: object = {},
): Record<string, unknown> {
  return {
    metadata: { name, namespace: 'demo', uid: name, ...more },
    spec: { template: { spec: { containers: [{ name: 'c', image }] } }, ...spec },
  };
}

/** A verdict that the repository is named after. */
function saysItself({ repository }: { repository: string }): ImageVerdict {
  return { kind: repository as ImageVerdict['kind'], sentence: 's' };
}

function ranWith(phase: string, imageID: string): object {
  return { status: { phase, containerStatuses: [{ name: 'c', imageID }] } };
}

function statusOf(
  violations: ReportedViolation[],
  keep?: number,
): Record<string, unknown> & { violations: Record<string, unknown>[] } {
  return auditStatus(testConstraint(), violations, keep) as ReturnType<typeof statusOf>;
}

describe('audit', () => {
  it('reads all pages and gives all violations to the sink', async () => {
    const pods = Array.from({ length: 7 }, (_, index) => pod(`p${index}`, index === 3 ? 'a.io/x' : 'nginx'));
    const kept: AuditRun[] = [];
    const run = await audit(cluster({ Pod: pods }), { sink: { recordAudit: async (one) => void kept.push(one) } });
    expect(run).toMatchObject({ cluster: 'c', startedAt: START, objects: 7, incomplete: [] });
    expect(run.violations.map(({ name }) => name)).toEqual(['p0', 'p1', 'p2', 'p4', 'p5', 'p6']);
    expect(run.violations[0]).toEqual({
      constraintKind: 'K8sAllowedRepos',
      image: 'nginx',
      constraint: 'require-harbor-repo',
      action: 'warn',
      group: '',
      version: 'v1',
      kind: 'Pod',
      namespace: 'demo',
      name: 'p0',
      message: 'container "c" has an invalid image repo "nginx", allowed repos are ["a.io"]',
    });
    expect(kept).toEqual([run]);
  });

  const tree = {
    CronJob: [
      {
        metadata: { name: 'cron', namespace: 'demo', uid: 'cron' },
        spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'c', image: 'busybox' }] } } } } },
      },
    ],
    Job: [template('job', 'busybox', owner('cron'))],
    Deployment: [template('web', 'nginx')],
    ReplicaSet: [
      template('new', 'nginx', owner('web'), { replicas: 1 }),
      template('old', 'nginx:old', owner('web'), { replicas: 0 }),
    ],
    Pod: [
      pod('p1', 'nginx', owner('new')),
      pod('p2', 'injected', owner('new')),
      pod('p3', 'busybox', owner('job')),
      pod('p4', 'nginx', owner('forged')),
    ],
  };
  it('says a thing once, at the owner on top; what the pod adds and forged owners are told', async () => {
    const run = await audit(cluster(tree));
    expect(run.violations.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'CronJob cron',
      'Deployment web',
      'Pod p2',
      'Pod p4',
    ]);
    expect(run.running.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'Deployment web',
      'CronJob cron',
      'Pod p4',
    ]);
  });
  it('raw mode says everything, as Gatekeeper does', async () => {
    const raw = constraintObject({}, { 'breakwater/report': 'raw' });
    expect((await audit(cluster({ ...tree, K8sAllowedRepos: [raw] }))).violations).toHaveLength(9);
  });

  it('a kind that cannot be listed is named, not forgotten', async () => {
    const client = cluster({ Pod: [pod('p', 'nginx')] });
    client.failing.set('/apis/batch/v1/jobs', new KubernetesError('denied', 'GET jobs answered 403'));
    const run = await audit(client);
    expect(run.incomplete).toEqual([{ kind: 'Job', reason: 'GET jobs answered 403' }]);
    expect(run.violations).toHaveLength(1);
    expect(JSON.stringify(client.patches[0]?.patch)).toContain('"code":"audit_incomplete","message":"Job: GET jobs');
  });

  it('does not take constraints for absent that could not be read', async () => {
    const client = cluster({});
    client.failing.set(CONSTRAINTS_PATH, new KubernetesError('denied', 'forbidden'));
    const followed = await followCluster(client, fixedClock(START), {}, 50);
    await expect(followed.audit.pass()).rejects.toMatchObject({ code: 'not_ready' });
    await followed.stop();
  });

  it('the time of the last audit stays when it could not see everything', async () => {
    const client = cluster({});
    await audit(client);
    expect(client.patches[0]?.patch).toMatchObject({ status: { auditTimestamp: '2026-01-01T12:00:00Z' } });
    client.failing.set('/api/v1/pods', new KubernetesError('denied', 'GET pods answered 403'));
    await audit(client);
    expect(client.patches[1]?.patch).not.toHaveProperty('status.auditTimestamp');
    expect(client.patches[1]?.patch).toHaveProperty('status.totalViolations', 0);
  });

  it('a pass that finds nothing changed judges nothing, and writes the time alone', async () => {
    const client = cluster({ Pod: [pod('p', 'nginx')] });
    let asked = 0;
    const facts = {
      factsAbout: () => {
        asked += 1;
        return { ...NO_FACTS, verdicts: { verdictOf: () => undefined } };
      },
    };
    const clock = fixedClock(START);
    const followed = await followCluster(client, clock, { facts });
    expect(await followed.audit.pass()).toMatchObject({ unchanged: false });
    const [first] = client.patches;
    expect(first?.patch).toHaveProperty('status.violations');
    clock.advance(20_000);
    const second = await followed.audit.pass();
    expect(second).toMatchObject({ unchanged: true, violations: [{ name: 'p' }] });
    expect(client.patches[1]?.patch).toEqual({ status: { auditTimestamp: '2026-01-01T12:00:20Z' } });
    expect(asked).toBe(2);
    await followed.stop();
  });

  it('what is known about an image changes, and only that is told anew', async () => {
    const client = cluster({ Pod: [pod('p', 'a.io/x'), pod('q', 'a.io/y')] });
    let blocked = '';
    const verdictOf = ({ repository }: { repository: string }): ImageVerdict | undefined =>
      repository === blocked ? { kind: 'block', sentence: 's' } : undefined;
    const facts = { factsAbout: () => ({ ...NO_FACTS, verdicts: { verdictOf } }) };
    const followed = await followCluster(client, fixedClock(START), { facts });
    expect((await followed.audit.pass()).violations).toEqual([]);
    blocked = 'y';
    expect((await followed.audit.pass()).violations).toMatchObject([{ name: 'q', image: 'a.io/y' }]);
    blocked = '';
    expect(await followed.audit.pass()).toMatchObject({ violations: [], unchanged: false });
    await followed.stop();
  });

  it('says in the status which namespaces a constraint names in vain', async () => {
    const named = constraintObject();
    const client = cluster({
      K8sAllowedRepos: [{ ...named, spec: { ...(named['spec'] as object), match: { namespaces: ['kube-system'] } } }],
    });
    await auditOnce(client, fixedClock(START), { unaskedNamespaces: () => ['kube-system', 'guard'] });
    expect(JSON.stringify(client.patches[0]?.patch)).toContain('the webhook configuration leaves kube-system out');
  });

  it('a replica that does not lead says that it is there, and nothing else', async () => {
    const client = cluster({ Pod: [pod('p', 'nginx')] });
    let leads = false;
    const followed = await followCluster(client, fixedClock(START), { isLeader: () => leads });
    await expect(followed.audit.pass()).rejects.toMatchObject({ code: 'not_leader' });
    expect(followed.runs).toEqual([]);
    expect(client.patches).toHaveLength(1);
    expect(client.patches[0]?.patch).not.toHaveProperty('status.totalViolations');
    await expect(followed.audit.pass()).rejects.toMatchObject({ code: 'not_leader' });
    expect(client.patches).toHaveLength(1);
    leads = true;
    expect((await followed.audit.pass()).violations).toHaveLength(1);
    expect(client.patches[1]?.patch).toHaveProperty('status.totalViolations', 1);
    await followed.stop();
  });

  it('marks what came while no guard answered', async () => {
    const created = (name: string, at: number) => pod(name, 'nginx', { creationTimestamp: new Date(at).toISOString() });
    const absences = () => [{ from: START - 60_000, to: START - 30_000 }];
    const client = cluster({
      Pod: [
        created('before', START - 63_000),
        created('within', START - 40_000),
        created('edge', START - 29_000),
        created('after', START),
      ],
    });
    const run = await audit(client, { absences });
    expect(run.violations.filter((one) => one.admittedWhileAway).map(({ name }) => name)).toEqual(['edge', 'within']);
  });

  it('tries again on a conflict, and keeps the entries of other replicas', async () => {
    const client = cluster({});
    client.conflicts = 2;
    await audit(client);
    expect(client.patches).toHaveLength(1);
    expect(client.patches[0]).toMatchObject({
      path: `${CONSTRAINTS_PATH}/require-harbor-repo/status`,
      patch: {
        metadata: { resourceVersion: '7' },
        status: { byPod: [{ id: 'guard-0' }, { id: 'z' }], violations: null },
      },
    });
  });

  it('warnings about findings are no violations, blocked images are', async () => {
    const client = cluster({ Pod: [pod('p', 'a.io/warn'), pod('q', 'a.io/block')] });
    const facts = { factsAbout: async () => ({ ...NO_FACTS, verdicts: { verdictOf: saysItself } }) };
    const run = await audit(client, { facts });
    expect(run.violations.map(({ message }) => message)).toEqual(['container "c" has a blocked image "a.io/block": s']);
  });

  it('takes the digest a node reports, and leaves out pods that have ended', async () => {
    const pods = [
      { ...pod('a', 'nginx'), ...ranWith('Running', `docker-pullable://nginx@${DIGEST}`) },
      { ...pod('b', 'nginx'), ...ranWith('Running', DIGEST) },
      { ...pod('c', 'nginx'), ...ranWith('Succeeded', `nginx@${DIGEST}`) },
      { ...pod('d', 'nginx'), status: { containerStatuses: 'x' } },
    ];
    const run = await audit(cluster({ Pod: pods }));
    expect(run.running).toEqual([
      { namespace: 'demo', kind: 'Pod', name: 'a', container: 'c', image: 'nginx', digest: DIGEST },
      { namespace: 'demo', kind: 'Pod', name: 'b', container: 'c', image: 'nginx' },
      { namespace: 'demo', kind: 'Pod', name: 'd', container: 'c', image: 'nginx' },
    ]);
  });

  it('a broken constraint fails alone, and loudly', async () => {
    const broken = {
      metadata: { name: 'x', uid: 'x', generation: 4 },
      spec: { parameters: { repos: [] }, match: { kinds: 'a' } },
    };
    const client = cluster({ K8sAllowedRepos: [broken, constraintObject()], Pod: [pod('p', 'nginx')] });
    expect((await audit(client)).violations).toHaveLength(1);
    const patch = client.patches.find(({ path }) => path.endsWith('/x/status'))?.patch as {
      status: { byPod: { id: string; enforced?: boolean; errors?: { code: string; message: string }[] }[] };
    };
    expect(patch.status).not.toHaveProperty('totalViolations');
    expect(patch.status.byPod[0]).toMatchObject({
      id: 'guard-0',
      enforced: false,
      observedGeneration: 4,
      constraintUID: 'x',
    });
    expect(patch.status.byPod[0]?.errors?.[0]?.message).toContain('spec.match.kinds');
  });
});

describe('status', () => {
  const violation: ReportedViolation = {
    constraintKind: 'K8sAllowedRepos',
    constraint: 'require-harbor-repo',
    action: 'warn',
    scopedActions: [],
    group: '',
    version: 'v1',
    kind: 'Pod',
    namespace: 'demo',
    name: 'p',
    uid: 'u',
    image: 'nginx',
    message: 'm',
    top: new HeldWorkload(POD),
  };
  it('keeps the 20 lowest, from high to low, and counts all', () => {
    const many = Array.from({ length: 45 }, (_, index) => ({
      ...violation,
      name: `p${String(index).padStart(2, '0')}`,
    }));
    const status = statusOf([...many, { ...violation, group: 'apps', name: 'a' }].reverse());
    expect(status).toMatchObject({ totalViolations: 46, truncated: true });
    expect(status.violations.map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, index) => `p${String(19 - index).padStart(2, '0')}`),
    );
    expect(status.violations[0]).toEqual({
      enforcementAction: 'warn',
      group: '',
      version: 'v1',
      kind: 'Pod',
      namespace: 'demo',
      name: 'p19',
      message: 'm',
    });
    expect(statusOf(many, 45)).toMatchObject({ truncated: null });
    expect(statusOf(many, 0)).toMatchObject({ totalViolations: 45, violations: null, truncated: true });
    const huge = Array.from({ length: 600 }, () => many[0] as ReportedViolation);
    expect(statusOf(huge, 10_000).violations).toHaveLength(500);
  });

  it('lists the actions of a scoped constraint', () => {
    const scoped = { ...violation, action: 'scoped', scopedActions: ['deny', 'warn'] };
    expect(statusOf([scoped]).violations[0]).toMatchObject({
      enforcementAction: 'scoped',
      enforcementActions: ['deny', 'warn'],
    });
  });

  it('cuts messages to 256 bytes between characters, and as Gatekeeper does where that is asked for', () => {
    expect(cutBytes('x'.repeat(256), false)).toBe('x'.repeat(256));
    expect(cutBytes('x'.repeat(257), false)).toBe(`${'x'.repeat(253)}...`);
    expect(cutBytes(`${'x'.repeat(252)}®®®`, false)).toBe(`${'x'.repeat(252)}...`);
    expect(cutBytes(`${'x'.repeat(252)}®®®`, true)).toBe(`${'x'.repeat(252)}\ufffd...`);
    expect(cutBytes(`${'x'.repeat(251)}€€€`, true)).toBe(`${'x'.repeat(251)}\ufffd\ufffd...`);
    expect(cutBytes(`${'x'.repeat(253)}®®®`, true)).toBe(`${'x'.repeat(253)}...`);
  });

  it('names no namespace for objects without one, and no list when empty', () => {
    expect(statusOf([{ ...violation, namespace: '' }]).violations[0]).not.toHaveProperty('namespace');
    expect(statusOf([])).toMatchObject({ totalViolations: 0, violations: null, truncated: null });
  });
});
