import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { SECRET_NAME } from '../admission/guard-rights.ts';
import { WEBHOOK_CONFIGURATION } from '../admission/manifests.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import type { GuardCertificates } from './certificates.ts';
import { GuardCertificateError, openCertificateSecret } from './certificates-secret.ts';
import { openSharedCertificates } from './certificates-shared.ts';
import { begun, phaseOf } from './certificates-state.ts';
import { createReplicaBoard, type ReplicaBoard } from './replicas.ts';
import { type ObjectStore, objectStore } from './testing.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const namespace = 'breakwater-system';
const HOSTS = ['breakwater-webhook.breakwater-system.svc', '127.0.0.1'];
const CONFIGURATION = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${WEBHOOK_CONFIGURATION}`;
const timing = { settleMs: 3000, goneMs: 300_000 };

interface Guard {
  readonly certificates: GuardCertificates;
  readonly board: ReplicaBoard;
  /** What it serves to new connections now. */
  leaf(): string;
  beat(): Promise<void>;
}

function world() {
  const store = objectStore();
  const clock = fixedClock(START);
  const secret = openCertificateSecret(store, namespace);
  store.objects.set(CONFIGURATION, {
    metadata: { name: WEBHOOK_CONFIGURATION, resourceVersion: '1' },
    webhooks: [
      { name: 'a', failurePolicy: 'Ignore', clientConfig: { url: 'https://127.0.0.1/v1/admit' } },
      { name: 'b', clientConfig: { url: 'https://127.0.0.1/v1/admitlabel', caBundle: 'Zm9yZWlnbg==' } },
    ],
  });
  async function guard(id: string, hosts: readonly string[] = HOSTS): Promise<Guard> {
    const board = createReplicaBoard({ client: store, clock, namespace, id });
    const certificates = await openSharedCertificates({
      client: store,
      clock,
      logger: silentLogger,
      secret,
      hosts,
      replicas: () => board.read(),
      timing,
    });
    const report = () => board.report({ serves: certificates.serves() });
    await report();
    const beat = async () => {
      await certificates.step();
      await report();
    };
    return { certificates, board, leaf: () => certificates.tls().cert, beat };
  }
  async function rotate(): Promise<void> {
    const stored = await secret.read();
    if (stored) await secret.replace(stored, await begun(stored.state, HOSTS, clock.now()));
  }
  async function phase(): Promise<string> {
    const stored = await secret.read();
    return stored ? phaseOf(stored.state) : 'none';
  }
  return { store, clock, secret, guard, rotate, phase };
}

function bundle(store: ObjectStore): string[] {
  const { webhooks } = store.objects.get(CONFIGURATION) as { webhooks: { clientConfig: { caBundle: string } }[] };
  const [first, ...rest] = webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle, 'base64').toString());
  expect(rest.every((one) => one === first)).toBe(true);
  return (first ?? '').split(/(?<=-----END CERTIFICATE-----)\s+/).filter((pem) => pem !== '');
}

function isTrusted(leafPem: string, authorities: readonly string[]): boolean {
  const leaf = new X509Certificate(leafPem);
  return authorities.some((pem) => leaf.checkIssued(new X509Certificate(pem)));
}

it('replicas that start together share one certificate and publish its authority, and nothing else changes', async () => {
  const { store, guard } = world();
  const [a, b] = await Promise.all([guard('a'), guard('b')]);
  expect(a.leaf()).toBe(b.leaf());
  expect(isTrusted(a.leaf(), bundle(store))).toBe(true);
  expect(bundle(store)).toHaveLength(1);
  expect(new X509Certificate(a.leaf()).subjectAltName).toBe(
    'DNS:breakwater-webhook.breakwater-system.svc, IP Address:127.0.0.1',
  );
  expect(store.objects.get(CONFIGURATION)).toMatchObject({
    webhooks: [{ failurePolicy: 'Ignore', clientConfig: { url: 'https://127.0.0.1/v1/admit' } }, { name: 'b' }],
  });
  const writes = store.writes.length;
  await a.certificates.step();
  await b.certificates.step();
  expect(store.writes).toHaveLength(writes);
});

it('at no moment of 20 rotations does a replica serve what a caller, also one a little behind, does not trust', async () => {
  const { store, clock, guard, rotate, phase } = world();
  const guards = await Promise.all(['a', 'b', 'c'].map((id) => guard(id)));
  const seen: string[] = [];
  let rotations = 0;
  /** What API servers trust, the last of which is two seconds behind. */
  let bundles = [bundle(store)];
  for (let second = 0; rotations < 20 || (await phase()) !== 'stable'; second += 1) {
    clock.advance(1000);
    if ((await phase()) === 'stable' && rotations < 20) {
      await rotate();
      rotations += 1;
    }
    // One of the three is slow.
    for (const [at, one] of guards.entries()) if (at < 2 || second % 7 === 0) await one.beat();
    bundles = [bundle(store), ...bundles].slice(0, 3);
    for (const one of guards) expect(bundles.every((authorities) => isTrusted(one.leaf(), authorities))).toBe(true);
    seen.push(await phase());
    expect(second).toBeLessThan(5000);
  }
  expect(new Set(seen)).toEqual(new Set(['stable', 'publishing', 'switching']));
  expect(bundle(store)).toHaveLength(1);
  expect(new Set(guards.map((one) => one.leaf())).size).toBe(1);
});

it('waits for a replica that says nothing, not for one that left or is long gone', async () => {
  const { clock, guard, rotate, phase } = world();
  const [a, b, c] = [await guard('a'), await guard('b'), await guard('c')];
  await c.board.leave({ serves: c.certificates.serves() });
  await a.beat();
  await rotate();
  for (let second = 0; second < 60; second += 1) {
    clock.advance(1000);
    await a.beat();
  }
  expect(await phase()).toBe('switching');
  expect(b.leaf()).not.toBe(a.leaf());
  clock.advance(timing.goneMs);
  for (let second = 0; second < 10; second += 1) {
    clock.advance(1000);
    await a.beat();
  }
  expect(await phase()).toBe('stable');
});

it('does not go on while a configuration cannot be changed', async () => {
  const { store, clock, guard, rotate, phase } = world();
  const a = await guard('a');
  await rotate();
  store.refused.add(CONFIGURATION);
  for (let second = 0; second < 30; second += 1) {
    clock.advance(1000);
    await a.beat();
  }
  expect(await phase()).toBe('publishing');
  expect(a.certificates.problem()).toBe(`${CONFIGURATION} answered 403`);
  expect(isTrusted(a.leaf(), bundle(store))).toBe(true);
  store.refused.delete(CONFIGURATION);
  for (let second = 0; second < 30; second += 1) {
    clock.advance(1000);
    await a.beat();
  }
  expect(await phase()).toBe('stable');
  expect(a.certificates.problem()).toBeUndefined();
});

it('over 25 years what is served is always trusted and never ends', async () => {
  const { store, clock, guard } = world();
  const a = await guard('a');
  const leaves = new Set<string>();
  const authorities = new Set<string>();
  for (let day = 0; day < 25 * 365; day += 20) {
    clock.advance(20 * DAY);
    await a.beat();
    leaves.add(a.leaf());
    for (const pem of bundle(store)) authorities.add(pem);
    expect(isTrusted(a.leaf(), bundle(store))).toBe(true);
    expect(a.certificates.endsAt() - clock.now()).toBeGreaterThan(30 * DAY);
  }
  expect(leaves.size).toBeGreaterThan(25);
  expect(authorities.size).toBe(3);
});

it('a cluster that slept past every end has working certificates again', async () => {
  const { store, clock, guard } = world();
  const a = await guard('a');
  clock.advance(20 * 365 * DAY);
  expect(a.certificates.problem()).toMatch(/^the certificate of the webhook has ended/);
  await a.beat();
  await a.beat();
  expect(isTrusted(a.leaf(), bundle(store))).toBe(true);
  expect(a.certificates.problem()).toBeUndefined();
});

it('names are added, so that replicas of two versions do not take them from each other', async () => {
  const { store, guard } = world();
  const a = await guard('a');
  const b = await guard('b', ['127.0.0.1', 'new.example.org']);
  for (let round = 0; round < 3; round += 1) for (const one of [a, b]) await one.beat();
  const writes = store.writes.filter((one) => one.endsWith(SECRET_NAME)).length;
  for (let round = 0; round < 3; round += 1) for (const one of [a, b]) await one.beat();
  expect(store.writes.filter((one) => one.endsWith(SECRET_NAME))).toHaveLength(writes);
  expect(new X509Certificate(a.leaf()).subjectAltName).toContain('DNS:new.example.org');
  expect(new X509Certificate(b.leaf()).subjectAltName).toContain('breakwater-webhook');
  expect(isTrusted(a.leaf(), bundle(store))).toBe(true);
});

it('a Secret that is deleted under running guards comes back as it was', async () => {
  const { store, guard } = world();
  const a = await guard('a');
  const before = a.leaf();
  store.objects.delete(`/api/v1/namespaces/${namespace}/secrets/${SECRET_NAME}`);
  await a.beat();
  expect(a.leaf()).toBe(before);
  expect((await guard('b')).leaf()).toBe(before);
});

it('a Secret that is something else is left alone', async () => {
  const { store, guard } = world();
  const foreign = { metadata: { name: SECRET_NAME, resourceVersion: '1' }, data: { 'tls.crt': 'eA==' } };
  store.objects.set(`/api/v1/namespaces/${namespace}/secrets/${SECRET_NAME}`, foreign);
  await expect(guard('a')).rejects.toThrow(GuardCertificateError);
  expect(store.writes).toEqual([]);
});
