import { describe, expect, it } from 'vitest';
import { type ImageVerdict, NO_FACTS } from '../constraints/image-facts.ts';
import { AUDITED_KINDS, CONSTRAINTS_PATH, NAMESPACES_PATH } from '../constraints/paths.ts';
import { testConstraint } from '../constraints/testing.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import { type FakeCluster, fakeCluster } from '../kubernetes/testing.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { auditCluster, type ClusterAuditDeps } from './cluster-audit.ts';
import { constraintStatus } from './constraint-status.ts';
import type { AuditRun, AuditViolation } from './ports.ts';

const START = Date.UTC(2026, 0, 1, 12);
const DIGEST = `sha256:${'c'.repeat(64)}`;

function constraintObject(spec: object = {}): Record<string, unknown> {
  return {
    metadata: { name: 'require-harbor-repo', uid: 'u', generation: 3 },
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

function deps(client: FakeCluster, more: Partial<ClusterAuditDeps> = {}): ClusterAuditDeps {
  return {
    client,
    facts: { factsAbout: async () => NO_FACTS },
    sink: { recordAudit: async () => undefined },
    clock: fixedClock(START),
    logger: silentLogger,
    cluster: 'c',
    pod: 'guard-0',
    ...more,
  };
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

function statusOf(violations: AuditViolation[]): Record<string, unknown> & { violations: Record<string, unknown>[] } {
  const run = {
    cluster: 'c',
    startedAt: START,
    finishedAt: START + 5,
    objects: 1,
    violations,
    running: [],
    incomplete: [],
  };
  return constraintStatus(testConstraint(), run, 'guard-0') as ReturnType<typeof statusOf>;
}

describe('audit', () => {
  it('reads all pages and gives all violations to the sink', async () => {
    const pods = Array.from({ length: 7 }, (_, index) => pod(`p${index}`, index === 3 ? 'a.io/x' : 'nginx'));
    const kept: AuditRun[] = [];
    const run = await auditCluster(
      deps(cluster({ Pod: pods }), { sink: { recordAudit: async (one) => void kept.push(one) } }),
    );
    expect(run).toMatchObject({ cluster: 'c', startedAt: START, objects: 7, incomplete: [] });
    expect(run.violations.map(({ name }) => name)).toEqual(['p0', 'p1', 'p2', 'p4', 'p5', 'p6']);
    expect(run.violations[0]).toEqual({
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
    const run = await auditCluster(deps(cluster(tree)));
    expect(run.violations.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'CronJob cron',
      'Deployment web',
      'Pod p2',
      'Pod p4',
    ]);
    expect(run.running.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'Deployment web',
      'Deployment web',
      'CronJob cron',
      'Pod p4',
    ]);
  });
  it('raw mode says everything, as Gatekeeper does', async () => {
    expect((await auditCluster(deps(cluster(tree), { raw: true }))).violations).toHaveLength(9);
  });

  it('a kind that cannot be listed is named, not forgotten', async () => {
    const client = cluster({ Pod: [pod('p', 'nginx')] });
    client.failing.set('/apis/batch/v1/jobs', new KubernetesError('denied', 'GET jobs answered 403'));
    const run = await auditCluster(deps(client));
    expect(run.incomplete).toEqual([{ kind: 'Job', reason: 'GET jobs answered 403' }]);
    expect(run.violations).toHaveLength(1);
    expect(JSON.stringify(client.patches[0]?.patch)).toContain('"code":"audit_incomplete","message":"Job: GET jobs');
  });

  it('without constraints to read the pass fails', async () => {
    const client = cluster({});
    client.failing.set(CONSTRAINTS_PATH, new KubernetesError('not_found', 'no such kind'));
    await expect(auditCluster(deps(client))).rejects.toThrow('no such kind');
  });

  it('tries again on a conflict, and keeps the entries of other replicas', async () => {
    const client = cluster({});
    client.conflicts = 2;
    await auditCluster(deps(client));
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
    const run = await auditCluster(deps(client, { facts }));
    expect(run.violations.map(({ message }) => message)).toEqual(['container "c" has a blocked image "a.io/block": s']);
  });

  it('takes the digest a node reports, and leaves out pods that have ended', async () => {
    const pods = [
      { ...pod('a', 'nginx'), ...ranWith('Running', `docker-pullable://nginx@${DIGEST}`) },
      { ...pod('b', 'nginx'), ...ranWith('Running', DIGEST) },
      { ...pod('c', 'nginx'), ...ranWith('Succeeded', `nginx@${DIGEST}`) },
      { ...pod('d', 'nginx'), status: { containerStatuses: 'x' } },
    ];
    const run = await auditCluster(deps(cluster({ Pod: pods })));
    expect(run.running).toEqual([
      { namespace: 'demo', kind: 'Pod', name: 'a', container: 'c', image: 'nginx', digest: DIGEST },
      { namespace: 'demo', kind: 'Pod', name: 'b', container: 'c', image: 'nginx' },
      { namespace: 'demo', kind: 'Pod', name: 'd', container: 'c', image: 'nginx' },
    ]);
  });

  it('a broken constraint does not stop the others', async () => {
    const broken = { metadata: { name: 'x' }, spec: { parameters: { repos: 'a.io' } } };
    const run = await auditCluster(
      deps(cluster({ K8sAllowedRepos: [broken, constraintObject()], Pod: [pod('p', 'nginx')] })),
    );
    expect(run.violations).toHaveLength(1);
  });
});

describe('status', () => {
  const violation: AuditViolation = {
    constraint: 'require-harbor-repo',
    action: 'warn',
    group: '',
    version: 'v1',
    kind: 'Pod',
    namespace: 'demo',
    name: 'p',
    message: 'm',
  };
  it('keeps the 20 lowest, from high to low, and counts all', () => {
    const many = Array.from({ length: 45 }, (_, index) => ({
      ...violation,
      name: `p${String(index).padStart(2, '0')}`,
    }));
    const status = statusOf(
      [...many, { ...violation, group: 'apps', name: 'a' }, { ...violation, constraint: 'other' }].reverse(),
    );
    expect(status['totalViolations']).toBe(46);
    expect(status['auditTimestamp']).toBe('2026-01-01T12:00:00Z');
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
  });

  it('cuts messages to 256 bytes between characters', () => {
    const messages = ['x'.repeat(256), 'x'.repeat(257), `${'x'.repeat(252)}®®®®®`];
    const kept = statusOf(messages.map((message) => ({ ...violation, message }))).violations.map(({ message }) =>
      String(message),
    );
    expect(kept.sort()).toEqual(['x'.repeat(256), `${'x'.repeat(253)}...`, `${'x'.repeat(252)}...`].sort());
  });

  it('names no namespace for objects without one, and no list when empty', () => {
    expect(statusOf([{ ...violation, namespace: '' }]).violations[0]).not.toHaveProperty('namespace');
    expect(statusOf([]).violations).toBeNull();
  });
});
