import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, openCertificates } from '../../src/admission/certificates.ts';
import { renderGuardManifests } from '../../src/admission/manifests.ts';
import { createWebhookServer, type WebhookServer } from '../../src/admission/server.ts';
import { type ConstraintWatcher, createConstraintWatcher } from '../../src/audit/constraint-watcher.ts';
import { createLink, type Link } from '../../src/guard/link/link.ts';
import { createSnapshot, type Snapshot } from '../../src/guard/snapshot/snapshot.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { type Logger, silentLogger } from '../../src/platform/logger.ts';
import { sarifValidator } from '../schemas/validators.ts';
import { FIXED_OPENSSL, pushAlpine, VULNERABLE_OPENSSL } from '../support/alpine-image.ts';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { leavesOutKubernetes, startCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Service, startService, until as untilService } from '../support/program.ts';
import { openWire, type Wire } from '../support/wire.ts';
import { pod } from '../support/workloads.ts';

const CONSTRAINT = 'k8sallowedrepos.constraints.gatekeeper.sh';
const NAME = 'require-harbor-repo';
const NAMESPACE = 'breakwater-system';
const SNAPSHOT = 'breakwater-guard-snapshot';
const HOUR = 3_600_000;
/** One person proposes and approves here. */
const SETTINGS = { BREAKWATER_FOUR_EYES: 'false' };

let cluster: TestCluster;
let server: BreakwaterServer;
let client: KubernetesClient;
let certificates: Certificates;
let watcher: ConstraintWatcher;
let folder: string;
let wire: Wire;
let webhookPort: number;
/** The guard that the API server asks. */
let guard: TestGuard;

interface TestGuard {
  readonly link: Link;
  readonly snapshot: Snapshot;
  readonly loaded: string;
  readonly errors: string[];
  stop(): Promise<void>;
}

/** A replica of the guard as a start makes it: snapshot first, then the server, then reviews. */
async function startGuard(options: { readonly ahead?: number; readonly serves?: boolean } = {}): Promise<TestGuard> {
  const clock = { now: () => systemClock.now() + (options.ahead ?? 0) };
  const errors: string[] = [];
  const logger = {
    ...silentLogger,
    error: (_fields: unknown, message?: string) => void errors.push(message ?? ''),
  } as Logger;
  const shared = { client, clock, logger, isLeader: () => true };
  const snapshot = createSnapshot({ ...shared, namespace: NAMESPACE, everyMs: HOUR });
  const link = createLink({
    ...shared,
    kubernetes: client,
    snapshot,
    settings: { cluster: 'test', server: server.url, tokenFile: join(folder, 'token'), projects: ['front', 'back'] },
    backoff: { first: 50, longest: 500 },
  });
  const loaded = await snapshot.load();
  await link.start();
  let webhook: WebhookServer | undefined;
  if (options.serves !== false) {
    webhook = createWebhookServer({
      source: watcher,
      facts: { factsAbout: () => link.facts },
      logger,
      tls: certificates.tls(),
      exemptNamespaces: ['kube-system', NAMESPACE],
    });
    await webhook.listen({ host: '127.0.0.1', port: webhookPort });
  }
  return {
    link,
    snapshot,
    loaded,
    errors,
    async stop() {
      await webhook?.close();
      await link.stop();
    },
  };
}

const push = (repository: string, tag: string, openssl?: string) => pushAlpine(wire, repository, tag, openssl);

const until = <Value>(what: string, ask: () => Value | undefined | Promise<Value | undefined>) =>
  eventually(what, ask, { pauseMs: 20 });

const verdictOf = (of: TestGuard, image: string) =>
  of.link.facts.verdicts.verdictOf(parseReference(`${server.host}/${image}`));
const create = (image: string) =>
  cluster.kubectl(['create', '--dry-run=server', '-f', '-'], pod('tried', 'main', `${server.host}/${image}`));
const done = <T extends { code: number; stdout: string; stderr: string }>(outcome: T): T => {
  expect(outcome.code, outcome.stderr + outcome.stdout).toBe(0);
  return outcome;
};
const reposOf = async (name: string): Promise<string[]> =>
  (
    JSON.parse(done(await cluster.kubectl(['get', CONSTRAINT, name, '-o', 'json'])).stdout) as {
      spec: { parameters: { repos: string[] } };
    }
  ).spec.parameters.repos;

/** Calls the management API as the administrator. */
async function api(path: string, body?: object): Promise<Record<string, unknown>> {
  const reply = await fetch(`${server.url}/api/v1${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await reply.text();
  expect(reply.ok, text).toBe(true);
  return JSON.parse(text) as Record<string, unknown>;
}

async function trust(entry: string): Promise<void> {
  const reviewDue = new Date(systemClock.now() + 300 * 24 * HOUR).toISOString();
  const analysis = { criteria: 'c', findings: 'f', owner: 'o', reviewDue };
  const { id } = await api('/trusted-sources', { entry, ...analysis });
  await api(`/trusted-sources/${String(id)}/approve`, { reason: 'test' });
}

function patchManifest(manifest: string): ReturnType<TestCluster['kubectl']> {
  const patch = JSON.stringify({ data: { manifest } });
  return cluster.kubectl(['patch', 'configmap', SNAPSHOT, '-n', NAMESPACE, '--type=merge', '-p', patch]);
}

describe.skipIf(leavesOutKubernetes())('a guard and the server it follows', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-link-'));
    [cluster, server] = await Promise.all([
      startCluster(),
      startBreakwater({ dataDir: join(folder, 'data'), environment: SETTINGS }),
    ]);
    wire = openWire({ url: server.url, user: 'admin', password: server.password });
    for (const name of ['front', 'back', 'other'])
      done(await server.cli(['project', 'create', name, '--block', 'high']));
    const scope = '*=guard:read,guard:report,verdict:read';
    const made = done(await server.cli(['robot', 'create', 'guard', '--scope', scope, '-o', 'json']));
    const robot = JSON.parse(made.stdout) as { name: string; secret: string };
    await writeFile(join(folder, 'token'), `${robot.name}:${robot.secret}\n`, { mode: 0o600 });

    client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
    certificates = await openCertificates({
      folder: join(folder, 'webhook'),
      hosts: ['127.0.0.1'],
      clock: systemClock,
    });
    watcher = createConstraintWatcher({ client, clock: systemClock, logger: silentLogger, retryMs: 200 });
    webhookPort = await freePort();
    const manifests = renderGuardManifests({
      constraintName: NAME,
      repos: [server.host],
      enforcementAction: 'deny',
      webhook: { url: `https://127.0.0.1:${webhookPort}` },
      caBundle: certificates.caBundle,
    });
    done(await cluster.kubectl(['apply', '-f', '-'], manifests));
    await until('the constraint', () => watcher.rules()?.constraints.length === 1 || undefined);
    await push('front/app', 'bad');
    guard = await startGuard();
    expect(guard.loaded).toBe('absent');
    await until(
      'the webhook to be asked',
      async () => (await create('nowhere/app:1')).stderr.includes(NAME) || undefined,
    );
  });
  afterAll(async () => {
    await guard?.stop();
    await watcher?.stop();
    await client?.close();
    await wire?.close();
    await cluster?.stop();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('denies what the registry blocks, and warns of what it does not know', async () => {
    const denied = await create('front/app:bad');
    expect(denied.code).not.toBe(0);
    expect(denied.stderr).toContain('CVE-2024-12797 in libcrypto3 3.3.2-r0');
    const unknown = await create('front/app:none');
    expect(unknown.code, unknown.stderr).toBe(0);
    expect(unknown.stderr).toContain(`the registry ${server.host} has no such image`);
  });

  it('learns within two seconds of a push, of another verdict and of a removal, in every replica', async () => {
    const other = await startGuard({ serves: false });
    const both = [guard, other];
    try {
      const times: number[] = [];
      for (let at = 0; at < 10; at += 1) {
        await push('front/app', `push${at}`, at % 2 === 0 ? VULNERABLE_OPENSSL : FIXED_OPENSSL);
        const pushed = performance.now();
        const wanted = at % 2 === 0 ? 'block' : undefined;
        await until(
          'the verdict',
          () =>
            both.every((one) => {
              const kind = verdictOf(one, `front/app:push${at}`)?.kind;
              return kind !== 'unknown' && (wanted === undefined || kind === wanted);
            }) || undefined,
        );
        times.push(performance.now() - pushed);
      }
      const policy = performance.now();
      done(await server.cli(['project', 'set', 'back', '--block', 'off', '--reason', 'test']));
      await push('back/app', '1');
      await until('no block', () => both.every((one) => verdictOf(one, 'back/app:1')?.kind !== 'unknown') || undefined);
      expect(both.map((one) => verdictOf(one, 'back/app:1')?.kind)).not.toContain('block');
      done(await server.cli(['project', 'set', 'back', '--block', 'high', '--reason', 'test']));
      await until('a block', () => both.every((one) => verdictOf(one, 'back/app:1')?.kind === 'block') || undefined);
      const changed = performance.now() - policy;
      const gone = await wire.send('DELETE', '/v2/front/app/manifests/push0');
      expect(gone.status).toBe(202);
      const removed = performance.now();
      await until(
        'the removal',
        () => both.every((one) => verdictOf(one, 'front/app:push0')?.kind === 'unknown') || undefined,
      );
      const removal = performance.now() - removed;
      process.stdout.write(
        `a push was known in both replicas after at most ${Math.round(Math.max(...times))} ms (of ${times.length}), ` +
          `a removal after ${Math.round(removal)} ms; two changes of policy and a push between took ${Math.round(changed)} ms\n`,
      );
      expect(Math.max(...times, removal)).toBeLessThan(5000);
    } finally {
      await other.stop();
    }
  });

  it('asks about images of other projects that run, and reports what it found', async () => {
    await push('other/app', '1');
    expect(verdictOf(guard, 'other/app:1')?.sentence).toContain('does not follow the project other');
    const now = systemClock.now();
    const image = `${server.host}/other/app:1`;
    await guard.link.sink.recordAudit({
      cluster: 'far',
      startedAt: now - 10,
      finishedAt: now,
      objects: 1,
      violations: [],
      running: [{ namespace: 'default', kind: 'Pod', name: 'p', container: 'main', image }],
      incomplete: [],
    });
    await until('the verdict', () => verdictOf(guard, 'other/app:1')?.kind === 'block' || undefined);
    await until('the report', () => guard.link.status().auditsWaiting === 0 || undefined);
    expect((await api('/cluster/images'))['items']).toMatchObject([{ cluster: 'far', image }]);
  });

  it('keeps the trusted set of constraints that ask for it, and of no other', async () => {
    await trust(server.host);
    await delay(500);
    expect(await reposOf(NAME)).toEqual([server.host]);
    done(await cluster.kubectl(['annotate', CONSTRAINT, NAME, `breakwater/repos-from=${server.url}/`]));
    const byHand = JSON.parse(done(await cluster.kubectl(['get', CONSTRAINT, NAME, '-o', 'json'])).stdout) as Record<
      string,
      unknown
    >;
    const spec = { ...(byHand['spec'] as object), enforcementAction: 'dryrun' };
    const other = { apiVersion: byHand['apiVersion'], kind: byHand['kind'], metadata: { name: 'by-hand' }, spec };
    done(await cluster.kubectl(['create', '-f', '-'], JSON.stringify(other)));
    await trust('ghcr.io/team');
    const both = ['ghcr.io/team', server.host].sort();
    await until('the constraint', async () => (await reposOf(NAME)).join() === both.join() || undefined);
    expect(await reposOf('by-hand')).toEqual([server.host]);
    done(await cluster.kubectl(['delete', CONSTRAINT, 'by-hand']));
  });

  it('ends an exception at that very moment while the server is away, also when it began with the snapshot', async () => {
    await push('front/excepted', '1');
    const image = 'front/excepted:1';
    await until('the block', () => verdictOf(guard, image)?.kind === 'block' || undefined);
    const { verdict } = (await api(`/verdicts?image=${image}`)) as unknown as { readonly verdict: Verdict };
    const blocking = new Set(verdict.reasons.flatMap((one) => (one.kind === 'block' ? [one.vulnerability] : [])));
    expect(blocking).toContain('CVE-2024-12797');
    const end = systemClock.now() + 25_000;
    const asked = { repository: 'excepted', reason: 'test', until: new Date(end).toISOString() };
    const { items } = (await api('/projects/front/exceptions/several', {
      exceptions: [...blocking].map((vulnerability) => ({ ...asked, vulnerability })),
    })) as { readonly items: readonly { readonly id: string }[] };
    const granting = performance.now();
    const ids = items.map(({ id }) => id);
    await api('/projects/front/exceptions/decisions', { decision: 'grant', ids, reason: 'test' });
    await until('the exception', () => verdictOf(guard, image)?.kind !== 'block' || undefined);
    expect(performance.now() - granting).toBeLessThan(5000);
    expect(await guard.snapshot.write()).toBeGreaterThan(0);
    await server.kill();
    await guard.stop();
    guard = await startGuard();
    expect(guard.loaded).toBe('loaded');
    expect((await create(image)).code).toBe(0);
    const kinds: (readonly [at: number, kind: string | undefined])[] = [];
    await until('the end', () => {
      const before = systemClock.now();
      const kind = verdictOf(guard, image)?.kind;
      // Asked over a boundary it may say either.
      if (before < end === systemClock.now() < end) kinds.push([before, kind]);
      return systemClock.now() > end + 500 || undefined;
    });
    expect(kinds.filter(([at]) => at < end).map(([, kind]) => kind)).not.toContain('block');
    expect(new Set(kinds.filter(([at]) => at >= end).map(([, kind]) => kind))).toEqual(new Set(['block']));
    const denied = await create(image);
    expect(denied.code).not.toBe(0);
    expect(denied.stderr).toContain(' in libcrypto3 3.3.2-r0');
    server = await startBreakwater({ dataDir: server.dataDir, ports: server.ports, environment: SETTINGS });
    await until('all to be well', () => guard.link.problem() === undefined || undefined);
  });

  it('is looked over by lint and preflight: what is in the cluster, and what the trusted set would be', async () => {
    const tool = (...words: string[]) => server.cli(['guard', ...words, '--kubeconfig', cluster.kubeconfig]);
    const linted = await tool('lint', '-o', 'sarif', '--fail-on', 'none');
    expect(linted.code, linted.screen).toBe(0);
    expect(sarifValidator()(JSON.parse(linted.stdout))).toEqual([]);
    const tried = await tool('preflight', '--trusted', '-o', 'json');
    const report = JSON.parse(tried.stdout) as { constraints: string[]; incomplete: unknown[]; wouldDeny: unknown[] };
    expect(report, tried.screen).toMatchObject({
      constraints: [`K8sAllowedRepos ${NAME}`],
      incomplete: [],
      wouldDeny: [],
    });
    expect(tried.stderr).toBe('');
  });

  it('decides the same after a restart while the server is away, and says how old what it knows is', async () => {
    const images = ['front/app:bad', 'front/app:push1', 'front/app:none', 'back/app:1', 'other/app:1'];
    const decisions = async () => {
      const made = [];
      for (const image of images) {
        const { code, stderr } = await create(image);
        made.push({ image, code, stderr: stderr.replace(/as of \d+ (?:s|min) ago/, 'as of now') });
      }
      return made;
    };
    const before = await decisions();
    expect(new Set(before.map(({ code }) => code)).size).toBe(2);
    expect(await guard.snapshot.write()).toBeGreaterThan(0);
    const maps = done(await cluster.kubectl(['get', 'configmaps', '-n', NAMESPACE, '-o', 'name'])).stdout;
    expect(maps).toContain('configmap/breakwater-guard-snapshot');

    await server.kill();
    await guard.stop();
    guard = await startGuard();
    expect(guard.loaded).toBe('loaded');
    expect(await decisions()).toEqual(before);
    expect(guard.link.problem()).toMatch(/^the registry cannot be followed, what is known is \d+ s old: /);

    await guard.stop();
    guard = await startGuard({ ahead: 27 * HOUR });
    const aged = await create('front/app:bad');
    expect(aged.code, aged.stderr).toBe(0);
    expect(aged.stderr).toContain(`the verdicts of the registry ${server.host} are 1 day old`);
  });

  it('is not misled by a snapshot that is torn or foreign', async () => {
    await guard.stop();
    guard = await startGuard();
    // Another state, so that there is one before.
    guard.snapshot.section('test', { save: () => ({ test: true }), load: () => undefined });
    expect(await guard.snapshot.write()).toBeGreaterThan(0);
    const manifest = async () =>
      JSON.parse(
        done(await cluster.kubectl(['get', 'configmap', 'breakwater-guard-snapshot', '-n', NAMESPACE, '-o', 'json']))
          .stdout,
      ) as { data: { manifest: string } };
    const { current } = JSON.parse((await manifest()).data.manifest) as {
      current: { parts: Record<string, string[]> };
    };
    const [head] = current.parts['facts/head'] ?? [];
    expect(head).toBeDefined();
    const before = { ...current.parts };
    await guard.stop();
    // What a write that never ended leaves: a manifest whose newest pieces are not all there.
    const torn = {
      format: 1,
      current: { writtenAt: 1, parts: { ...before, 'facts/head': ['0'.repeat(32)] } },
      previous: { writtenAt: 1, parts: before },
    };
    done(await patchManifest(JSON.stringify(torn)));
    guard = await startGuard();
    expect(guard.errors).toEqual(['the snapshot in the cluster is damaged; the one before is used']);
    expect((await create('front/app:bad')).code).not.toBe(0);
    await guard.stop();
    done(await patchManifest('{"format":1,"current":{"writtenAt":1,"parts":{"facts/head":["../../../secrets/x"]}}}'));
    guard = await startGuard();
    expect([guard.loaded, guard.errors]).toEqual(['ignored', ['the snapshot in the cluster is ignored']]);
    const nothing = await create('front/app:bad');
    expect(nothing.code, nothing.stderr).toBe(0);
    expect(nothing.stderr).toContain('has not told this guard its verdicts yet');
  });

  it('catches up when the server is back, and tells it what it found meanwhile', async () => {
    const now = systemClock.now();
    const run = {
      cluster: 'later',
      startedAt: now - 10,
      finishedAt: now,
      objects: 0,
      violations: [],
      running: [],
      incomplete: [],
    };
    await guard.link.sink.recordAudit(run);
    expect(guard.link.status().auditsWaiting).toBe(1);
    server = await startBreakwater({ dataDir: server.dataDir, ports: server.ports, environment: SETTINGS });
    await until('the report', () => guard.link.status().auditsWaiting === 0 || undefined);
    await until('the verdict', () => verdictOf(guard, 'front/app:bad')?.kind === 'block' || undefined);
    await until('all to be well', () => guard.link.problem() === undefined || undefined);
    expect((await create('front/app:bad')).code).not.toBe(0);
  });

  it('is all of this in the process that clusters run', async () => {
    await guard.stop();
    const metrics = await freePort();
    const environment = {
      BREAKWATER_WEBHOOK_LISTEN: `127.0.0.1:${webhookPort}`,
      BREAKWATER_METRICS_LISTEN: `127.0.0.1:${metrics}`,
      BREAKWATER_GUARD_DRAIN_SECONDS: '0',
      BREAKWATER_GUARD_SETTLE_SECONDS: '1',
      BREAKWATER_KUBECONFIG: cluster.kubeconfig,
      BREAKWATER_CLUSTER_NAME: 'far-away',
    };
    const words = [
      'guard',
      'serve',
      '--server',
      server.url,
      '--server-token-file',
      join(folder, 'token'),
      '--projects',
    ];
    const program = resolve(import.meta.dirname, '../../bin/breakwater.mjs');
    const start = () => startService(process.execPath, [program, ...words, 'front,back'], { environment });
    const decides = async (service: Service) =>
      untilService(
        async () => {
          const { code, stderr } = await create('front/app:bad');
          return code !== 0 && stderr.includes('CVE-2024-12797');
        },
        { limitMs: 60_000, describe: () => 'the guard does not deny what is blocked', service },
      );
    const refusals = async () => {
      const { stdout } = done(await server.cli(['violations', 'list', '--cluster', 'far-away', '-o', 'json']));
      return (JSON.parse(stdout) as Finding[]).filter(
        ({ from, action }) => from === 'admission' && action === 'denied',
      );
    };
    const refuse = async (name: string, image: string) =>
      expect(
        (await cluster.kubectl(['create', '-f', '-'], pod(name, 'main', `${server.host}/${image}`))).code,
      ).not.toBe(0);
    let service = await start();
    try {
      await decides(service);
      await refuse('short-lived', 'front/app:bad');
      const [said, ...more] = await until('what was said', async () => {
        const found = await refusals();
        return found.length > 0 ? found : undefined;
      });
      // All the others only asked what would be.
      expect(more).toEqual([]);
      expect(said).toMatchObject({ constraint: NAME, kind: 'Pod', name: 'short-lived', times: 1, user: 'admin' });
      await push('front/app', 'last');
      await until('the push', async () => (await create('front/app:last')).code !== 0 || undefined);
      const told = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
      expect(told).toMatch(/breakwater_guard_facts_images [1-9]/);
      for (const line of [
        /^gatekeeper_validation_request_count\{admission_status="deny",admission_dryrun="false"\} 1$/m,
        /^gatekeeper_validation_request_count\{admission_status="deny",admission_dryrun="true"\} [1-9]\d*$/m,
        /^gatekeeper_validation_request_duration_seconds_count\{admission_status="deny"\} [1-9]\d*$/m,
        /^breakwater_data_age_seconds\{data="rules"\} [0-9.]+$/m,
        /^breakwater_data_age_seconds\{data="workloads"\} [0-9.]+$/m,
        /^breakwater_data_age_seconds\{data="verdicts"\} [0-9.]+$/m,
        /^breakwater_admission_findings_dropped 0$/m,
      ])
        expect(told).toMatch(line);
      // It leads, so it keeps what it knows when it is told to stop.
      expect(await service.stop()).toBe(0);
      await server.kill();
      service = await start();
      await decides(service);
      expect((await create('front/app:last')).code).not.toBe(0);
      const health = await (await fetch(`http://127.0.0.1:${metrics}/readyz`)).text();
      expect(health).toContain('the registry cannot be followed');
      await refuse('meanwhile', 'front/app:last');
      // One try fails at least.
      await delay(3000);
      server = await startBreakwater({ dataDir: server.dataDir, ports: server.ports, environment: SETTINGS });
      await until('what was said meanwhile', async () => {
        const found = await refusals();
        return found.some(({ name, times }) => name === 'meanwhile' && times === 1) || undefined;
      });
    } finally {
      await service.stop();
      guard = await startGuard();
    }
  });
});

/** As `breakwater violations list -o json` gives them. */
interface Finding {
  readonly from: string;
  readonly action: string;
  readonly name: string;
  readonly times?: number;
}
