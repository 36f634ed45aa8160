import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { constraintDefinition } from '../../src/admission/constraint-definition.ts';
import { createAuditEvents } from '../../src/audit/audit-events.ts';
import { createLiveCache } from '../../src/audit/live-cache.ts';
import { jsonReader } from '../../src/audit/live-cache-json.ts';
import { protobufReader } from '../../src/audit/live-cache-protobuf.ts';
import { createSharedParts } from '../../src/audit/live-cache-shared.ts';
import { createReportWriter } from '../../src/audit/policy-reports.ts';
import { recordRuns } from '../../src/audit/run-recorder.ts';
import { followCluster, type TestAudit } from '../../src/audit/testing.ts';
import { AUDITED_KINDS } from '../../src/constraints/paths.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { listObjects } from '../../src/kubernetes/list-pages.ts';
import { type ObjectReader, readEvent } from '../../src/kubernetes/object-forms.ts';
import { watchObjects } from '../../src/kubernetes/watch-collection.ts';
import { watchFrames } from '../../src/kubernetes/watch-frames.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { leavesOutKubernetes, startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/waiting.ts';

const CONSTRAINT = 'k8sallowedrepos.constraints.gatekeeper.sh';
const DEFINITIONS = join(import.meta.dirname, 'testdata/report-definitions');
const DIGEST = `sha256:${'a'.repeat(64)}`;

let cluster: TestCluster;
let client: KubernetesClient;
let followed: TestAudit;

async function apply(...objects: object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const done = await cluster.kubectl(['apply', '-f', '-'], list);
  expect(done.code, done.stderr).toBe(0);
}

async function remove(...args: string[]): Promise<void> {
  const done = await cluster.kubectl(['delete', '--grace-period=0', '--force', ...args]);
  expect(done.code, done.stderr).toBe(0);
}

async function read<Value>(...args: string[]): Promise<Value> {
  const done = await cluster.kubectl(['get', ...args, '-ojson']);
  expect(done.code, done.stderr).toBe(0);
  return JSON.parse(done.stdout) as Value;
}

function constraint(name: string, spec: object = {}, annotations: Record<string, string> = {}): object {
  return {
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind: 'K8sAllowedRepos',
    metadata: { name, annotations },
    spec: { enforcementAction: 'warn', parameters: { repos: ['good.io'] }, ...spec },
  };
}

function meta(name: string, more: object = {}): object {
  return { name, namespace: 'shop', labels: { app: name, 'a.b/c': 'd' }, ...more };
}

const POD_SPEC = {
  initContainers: [{ name: 'first', image: 'bad.io/first:1' }],
  containers: [
    { name: 'main', image: 'bad.io/main:1', env: [{ name: 'A', value: 'b' }] },
    { name: 'side', image: 'good.io/side:1' },
  ],
  volumes: [
    { name: 'tmp', emptyDir: {} },
    { name: 'model', image: { reference: 'bad.io/model:1' } },
  ],
};

function pod(name: string, more: object = {}, spec: object = POD_SPEC): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: meta(name, more), spec };
}

/** One of every kind that runs pods. */
function oneOfEach(): object[] {
  const template = { metadata: { labels: { app: 'x', made: 'yes' } }, spec: POD_SPEC };
  const selector = { matchLabels: { app: 'x' } };
  const job = { template: { metadata: template.metadata, spec: { ...POD_SPEC, restartPolicy: 'Never' } } };
  const apps = (kind: string, spec: object) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: meta(kind.toLowerCase()),
    spec,
  });
  return [
    apps('Deployment', { selector, template, replicas: 3 }),
    apps('StatefulSet', { selector, template, serviceName: 's' }),
    apps('DaemonSet', { selector, template }),
    apps('ReplicaSet', { selector, template, replicas: 0 }),
    {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: meta('rc'),
      spec: { selector: { app: 'x' }, template },
    },
    { apiVersion: 'v1', kind: 'PodTemplate', metadata: meta('template'), template },
    { apiVersion: 'batch/v1', kind: 'Job', metadata: meta('job'), spec: job },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: meta('cron'),
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: job } },
    },
    pod('pod'),
  ];
}

async function setStatus(name: string, status: object): Promise<void> {
  await client.patch(`/api/v1/namespaces/shop/pods/${name}/status`, { status });
}

function running(imageID: string, startedAt: string): object {
  return {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'main',
        image: 'bad.io/main:1',
        imageID,
        ready: true,
        restartCount: 0,
        state: { running: { startedAt } },
      },
    ],
  };
}

describe.skipIf(leavesOutKubernetes())('the audit of a real API server', () => {
  beforeAll(async () => {
    cluster = await startCluster();
    client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
    await apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      constraintDefinition('K8sAllowedRepos'),
    );
    await eventually('the kind', async () => (await cluster.kubectl(['get', CONSTRAINT])).code === 0);
    await apply(...oneOfEach());
    await setStatus('pod', running(`docker-pullable://bad.io/main@${DIGEST}`, '2026-01-02T03:04:05Z'));
  });
  afterAll(async () => {
    await followed?.stop();
    await client?.close();
    await cluster?.stop();
  });

  it('reads the same from protobuf and from JSON, for every kind', async () => {
    for (const kind of AUDITED_KINDS) {
      const parts = createSharedParts();
      const json = jsonReader(kind, parts);
      const protobuf = protobufReader(kind, parts);
      expect(protobuf).toBeDefined();
      const forms: ObjectReader<object>[] = [{ json }, { json, ...(protobuf ? { protobuf } : {}) }];
      const [fromJson, fromProtobuf] = await Promise.all(
        forms.map(async (reader) => {
          const items: object[] = [];
          await listObjects(client, kind.path, {}, reader, (item) => items.push(item));
          return items;
        }),
      );
      expect(fromJson?.length, kind.kind).toBeGreaterThan(0);
      expect(fromProtobuf).toEqual(fromJson);
    }
  });

  it('keeps of every kind what rules look at, and follows every change', async () => {
    followed = await followCluster(client, systemClock);
    const { cache } = followed;
    await cache.settled();
    expect(cache.unseen()).toEqual([]);
    const held = (name: string) => [...cache.all()].find((one) => one.name === name && one.namespace === 'shop');
    expect(cache.size).toBe(9);
    for (const one of cache.all()) {
      expect(
        one.images.map(({ place, image }) => `${place} ${image}`),
        one.kind,
      ).toEqual([
        'container bad.io/main:1',
        'container good.io/side:1',
        'initContainer bad.io/first:1',
        'volume bad.io/model:1',
      ]);
      if (one.kind !== 'Pod') expect(one.templateLabels, one.kind).toMatchObject({ app: 'x', made: 'yes' });
      expect(one.labels, one.kind).toMatchObject({ 'a.b/c': 'd' });
    }
    expect(held('replicaset')?.retired).toBe(true);
    expect(held('pod')).toMatchObject({ phase: 'Running', runningSince: Date.UTC(2026, 0, 2, 3, 4, 5) });
    expect(held('pod')?.reported).toEqual([{ name: 'main', digest: DIGEST }]);

    const uid = held('replicaset')?.uid ?? '';
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'replicaset', uid, controller: true };
    await apply(pod('child', { ownerReferences: [owner] }));
    const child = await eventually('the new pod', () => held('child'));
    expect(cache.topOf(child.uid)).toMatchObject({ kind: 'ReplicaSet', name: 'replicaset' });
    await cluster.kubectl(['label', 'pod', 'child', '-n', 'shop', 'round=two']);
    await eventually('the label', () => held('child')?.labels['round'] === 'two');
    await cluster.kubectl(['set', 'image', 'pod/child', '-n', 'shop', 'main=bad.io/main:2']);
    await eventually('the image', () => held('child')?.images[0]?.image === 'bad.io/main:2');
    await remove('pod', 'child', '-n', 'shop');
    await eventually('the pod to go', () => held('child') === undefined);
    expect(cache.problem()).toBeUndefined();
  });

  it('writes the status as Gatekeeper does, and only the time while nothing changes', async () => {
    const { audit, watcher, cache } = followed;
    await apply(constraint('repos', { match: { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] } }));
    await eventually('the constraint', () => watcher.rules()?.constraints.length === 1);
    const run = await audit.pass();
    expect(run.incomplete).toEqual([]);
    // Three images of eight objects; the retired ReplicaSet runs nothing.
    expect(run.violations).toHaveLength(24);
    interface Written {
      metadata: { resourceVersion: string };
      status: {
        auditTimestamp: string;
        totalViolations: number;
        truncated: boolean;
        violations: Record<string, string>[];
        byPod: object[];
      };
    }
    const first = await read<Written>(CONSTRAINT, 'repos');
    expect(first.status).toMatchObject({ totalViolations: 24, truncated: true });
    expect(first.status.auditTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(first.status.violations).toHaveLength(20);
    const keys = first.status.violations.map(({ group, version, kind, namespace, name, message }) =>
      [group, version, kind, namespace, name, message].join('\0'),
    );
    expect(keys).toEqual(keys.toSorted().reverse());
    expect(first.status.violations.at(-1)).toEqual({
      enforcementAction: 'warn',
      group: '',
      version: 'v1',
      kind: 'Pod',
      namespace: 'shop',
      name: 'pod',
      message: 'container "main" has an invalid image repo "bad.io/main:1", allowed repos are ["good.io"]',
    });
    expect(first.status.byPod).toMatchObject([{ id: 'guard-0', enforced: true, observedGeneration: 1 }]);

    const rules = watcher.rules();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const again = await audit.pass();
    expect(again).toMatchObject({ unchanged: true });
    const second = await read<Written>(CONSTRAINT, 'repos');
    expect(second.status.auditTimestamp > first.status.auditTimestamp).toBe(true);
    expect({ ...second.status, auditTimestamp: '' }).toEqual({ ...first.status, auditTimestamp: '' });
    expect(watcher.rules()).toBe(rules);

    await remove('pod', 'pod', '-n', 'shop');
    await eventually('the pod to go', () => ![...cache.all()].some(({ kind }) => kind === 'Pod'));
    expect((await audit.pass()).violations).toHaveLength(21);
    expect((await read<Written>(CONSTRAINT, 'repos')).status.totalViolations).toBe(21);
  });

  it('survives a list and a watch whose versions were compacted away', async () => {
    const seen: string[] = [];
    let lists = 0;
    // Events alone are not served from a memory of the API server's own that reaches back behind etcd's.
    const EVENTS = '/api/v1/namespaces/default/events';
    const OLDEST = { resourceVersion: '1' };
    const reader: ObjectReader<string> = {
      json: (object) => (object['metadata'] as { name: string }).name,
    };
    let compacted = 0;
    let watches = 0;
    const outdated: KubernetesClient = {
      ...client,
      async read(path, { query, ...wanted }) {
        // Small pages, and between the first and the second everything changes and is compacted.
        const small = query['limit'] === undefined ? {} : { limit: '2' };
        if (query['continue'] !== undefined && compacted === 0) {
          compacted += 1;
          for (let round = 0; round < 20; round += 1)
            await client.patch('/api/v1/namespaces/shop', { metadata: { labels: { round: String(round) } } });
          await cluster.compact();
        }
        // What a client whose connection was away for very long would ask for.
        const asksOld = query['watch'] === 'true' && watches === 0;
        if (query['watch'] === 'true') watches += 1;
        return client.read(path, { ...wanted, query: { ...query, ...small, ...(asksOld ? OLDEST : {}) } });
      },
    };
    await cluster.compact();
    const { body, mediaType } = await client.read(EVENTS, {
      query: { ...OLDEST, watch: 'true', timeoutSeconds: '5' },
      accept: 'application/json',
      endless: true,
    });
    for await (const frame of watchFrames(body, mediaType)) {
      expect(readEvent(frame, mediaType, reader)).toMatchObject({ type: 'ERROR', code: 410 });
      break;
    }
    const event = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'default' },
      involvedObject: { kind: 'Namespace', name: 'default', namespace: 'default' },
      reason: 'Test',
    });
    await apply(...['one', 'two', 'three', 'four', 'five'].map(event));
    const watch = watchObjects(
      { client: outdated, clock: systemClock, logger: silentLogger, retryMs: 50 },
      { path: EVENTS },
      reader,
      {
        listBegins: () => {
          lists += 1;
        },
        listed: (name) => void seen.push(name),
        listEnds: () => undefined,
        changed: (name) => void seen.push(name),
        deleted: () => undefined,
      },
    );
    await eventually('a second list', () => lists >= 2 && watches >= 2);
    expect(compacted).toBe(1);
    await apply(event('after'));
    await eventually('what came after', () => seen.includes('after'));
    expect(seen).toEqual(expect.arrayContaining(['one', 'two', 'three', 'four', 'five']));
    await watch.stop();
  });

  it('writes reports into both APIs, in pieces, only what changed, and takes them away', async () => {
    const definitions = await Promise.all(
      (await readdir(DEFINITIONS))
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => readFile(join(DEFINITIONS, name), 'utf8')),
    );
    const done = await cluster.kubectl(['apply', '--server-side', '-f', '-'], definitions.join('\n---\n'));
    expect(done.code, done.stderr).toBe(0);
    const kinds = ['policyreports.wgpolicyk8s.io', 'reports.openreports.io'];
    const clusterKinds = ['clusterpolicyreports.wgpolicyk8s.io', 'clusterreports.openreports.io'];
    // The API server serves a new kind a moment after its definition was stored.
    for (const kind of [...kinds, ...clusterKinds])
      await eventually(kind, async () => (await cluster.kubectl(['get', kind, '-A'])).code === 0);

    const reports = createReportWriter({
      client,
      logger: silentLogger,
      choice: 'auto',
    });
    const problems: unknown[] = [];
    const logger = { ...silentLogger, error: (...told: unknown[]) => void problems.push(told) };
    const reporting = await followCluster(client, systemClock, { reports, logger });
    interface Report {
      metadata: { resourceVersion: string; labels: Record<string, string> };
      summary: Record<string, number>;
      results: { policy: string; result: string; resources: { kind: string; uid: string }[] }[];
    }
    const all = async (kind: string) => (await read<{ items: Report[] }>(kind, '-n', 'shop')).items;
    await reporting.audit.pass();
    expect(problems).toEqual([]);
    for (const kind of kinds) {
      const [report] = await all(kind);
      expect(report?.summary).toEqual({ pass: 0, fail: 0, warn: 21, error: 0, skip: 0 });
      expect(report?.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'breakwater' });
      expect(report?.results).toHaveLength(21);
      expect(report?.results[0]).toMatchObject({ policy: 'repos', result: 'warn', resources: [{ kind: 'CronJob' }] });
      expect(report?.results[0]?.resources[0]?.uid).toMatch(/^[0-9a-f-]{36}$/);
    }
    const versions = async () =>
      (await all('policyreports.wgpolicyk8s.io')).map(({ metadata }) => metadata.resourceVersion);
    const before = await versions();
    await reporting.audit.pass();
    // Another replica, that has never written, leaves them alone too.
    const other = await followCluster(client, systemClock, {
      pod: 'guard-1',
      reports: createReportWriter({ client, logger: silentLogger, choice: 'auto' }),
    });
    await other.audit.pass();
    await other.stop();
    expect(await versions()).toEqual(before);

    const many = Array.from({ length: 200 }, (_, at) => pod(`many-${String(at).padStart(3, '0')}`));
    await apply(...many);
    await eventually('200 pods', () => [...reporting.cache.all()].filter(({ kind }) => kind === 'Pod').length === 200);
    await reporting.audit.pass();
    const pieces = await all('reports.openreports.io');
    expect(pieces.map(({ results }) => results.length)).toEqual([500, 121]);
    await remove('pods', '--all', '-n', 'shop');
    await eventually('no pods', () => ![...reporting.cache.all()].some(({ kind }) => kind === 'Pod'));
    await reporting.audit.pass();
    expect((await all('reports.openreports.io')).map(({ results }) => results.length)).toEqual([21]);

    await apply(constraint('repos', { parameters: { repos: ['good.io', 'bad.io'] } }));
    await eventually('the new list', () => reporting.watcher.rules()?.constraints[0]?.match.kinds === undefined);
    await reporting.audit.pass();
    expect(await all('policyreports.wgpolicyk8s.io')).toEqual([]);
    expect(await all('reports.openreports.io')).toEqual([]);
    const { status } = await read<{ status: object }>(CONSTRAINT, 'repos');
    expect(status).toMatchObject({ totalViolations: 0 });
    expect(status).not.toHaveProperty('violations');
    expect(status).not.toHaveProperty('truncated');
    await reporting.stop();
  });

  it('another replica takes over, and each has its own line', async () => {
    await apply(constraint('repos'));
    let leader = 'guard-0';
    let replicas = ['guard-0', 'guard-1'];
    const of = (name: string) =>
      followCluster(client, systemClock, {
        pod: name,
        isLeader: () => leader === name,
        replicas: async () => replicas,
      });
    const [zero, one] = [await of('guard-0'), await of('guard-1')];
    for (const each of [zero, one]) await eventually('the list', () => listOf(each) === 'good.io');
    expect((await zero.audit.pass()).violations).toHaveLength(21);
    await expect(one.audit.pass()).rejects.toMatchObject({ code: 'not_leader' });
    expect(one.runs).toEqual([]);
    const ids = async () =>
      (await read<{ status: { byPod: { id: string }[] } }>(CONSTRAINT, 'repos')).status.byPod.map(({ id }) => id);
    expect(await ids()).toEqual(['guard-0', 'guard-1']);
    leader = 'guard-1';
    replicas = ['guard-1'];
    await zero.stop();
    expect((await one.audit.pass()).violations).toHaveLength(21);
    expect(await ids()).toEqual(['guard-1']);
    await one.stop();
  });

  it('a constraint that cannot be used says so in its own status, and names a kind it could not see', async () => {
    await apply({ ...constraint('broken'), spec: { match: { labelSelector: { matchLabels: 3 } } } });
    await eventually('the broken one', () => followed.watcher.broken().length === 1);
    await followed.audit.pass();
    interface Written {
      status: { auditTimestamp?: string; byPod: { errors?: { code: string; message: string }[]; enforced: boolean }[] };
    }
    const { status } = await read<Written>(CONSTRAINT, 'broken');
    const own = status.byPod.find((one) => !one.enforced);
    expect(own?.errors?.[0]).toMatchObject({ code: 'constraint_invalid' });
    expect(own?.errors?.[0]?.message).toContain('labelSelector');
    expect(status).not.toHaveProperty('auditTimestamp');
    await remove(CONSTRAINT, 'broken');

    const before = (await read<Written>(CONSTRAINT, 'repos')).status.auditTimestamp;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const blind: KubernetesClient = {
      ...client,
      read: (path, wanted) => client.read(path === '/apis/batch/v1/jobs' ? '/apis/batch/v1/none' : path, wanted),
    };
    const half = await followCluster(blind, systemClock, { pod: 'guard-2' });
    const run = await half.audit.pass();
    expect(run.incomplete.map(({ kind }) => kind)).toEqual(['Job']);
    await half.stop();
    const after = await read<Written>(CONSTRAINT, 'repos');
    expect(after.status.auditTimestamp).toBe(before);
    expect(JSON.stringify(after.status.byPod)).toContain('"code":"audit_incomplete","message":"Job: ');
  });

  it('makes one event for a constraint and an owner, and counts up', async () => {
    const events = createAuditEvents({ client, clock: systemClock, logger: silentLogger, pod: 'guard-0' });
    const telling = await followCluster(client, systemClock, { events });
    await telling.audit.pass();
    interface Event {
      count: number;
      message: string;
      involvedObject: { kind: string };
    }
    const all = async () => (await read<{ items: Event[] }>('events', '-n', 'shop')).items;
    const first = await all();
    expect(first.map(({ involvedObject }) => involvedObject.kind).sort()).toEqual(
      ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'PodTemplate', 'ReplicationController', 'StatefulSet'].sort(),
    );
    expect(first.every(({ count }) => count === 1)).toBe(true);
    expect(first[0]?.message).toMatch(/^\[repos\] container "main" has an invalid image repo .* \(and 2 more\)$/);
    await telling.audit.pass();
    expect(await all()).toEqual(first);
    await cluster.kubectl(['set', 'image', 'deployment/deployment', '-n', 'shop', 'side=bad.io/side:1']);
    await eventually('the new image', () =>
      [...telling.cache.all()].some(({ images }) => images.some(({ image }) => image === 'bad.io/side:1')),
    );
    await telling.audit.pass();
    expect((await all()).filter(({ count }) => count === 2).map(({ involvedObject }) => involvedObject.kind)).toEqual([
      'Deployment',
    ]);
    await telling.stop();
  });

  it('tells the history what runs, for whom and since when', async () => {
    const uid = (await read<{ metadata: { uid: string } }>('statefulset', 'statefulset', '-n', 'shop')).metadata.uid;
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'statefulset', uid, controller: true };
    await apply(pod('ran', { ownerReferences: [owner] }), pod('waits'));
    await setStatus('ran', running(`bad.io/main@${DIGEST}`, '2026-02-03T04:05:06Z'));
    const cache = createLiveCache({ client, clock: systemClock, logger: silentLogger });
    const seen: object[] = [];
    const stop = recordRuns(cache, { record: (one) => void seen.push(one) }, systemClock);
    await eventually('what ran', () => seen.length > 0);
    const expected = { image: 'bad.io/main:1', digest: DIGEST };
    expect(seen).toEqual([{ ...expected, ownerUid: uid, at: Date.UTC(2026, 1, 3, 4, 5, 6) }]);
    await setStatus('waits', running(`bad.io/main@${DIGEST}`, '2026-03-04T05:06:07Z'));
    await eventually('what runs now', () => seen.length > 1);
    expect(seen[1]).toMatchObject({ ...expected, at: Date.UTC(2026, 2, 4, 5, 6, 7) });
    stop();
    await cache.stop();
  });
});

function listOf({ watcher }: TestAudit): string | undefined {
  const [first] = watcher.rules()?.constraints ?? [];
  return first?.rule?.list.join();
}
