import { mkdir, mkdtemp, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WEBHOOK_CONFIGURATION } from '../admission/manifests.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import {
  certificateFiles,
  ForeignCertificateError,
  openForeignCertificates,
  tlsSecret,
} from './certificates-foreign.ts';
import { firstState, type Generation } from './certificates-state.ts';
import { objectStore } from './testing.ts';

const DAY = 86_400_000;
const clock = fixedClock(Date.UTC(2026, 0, 1));
const CONFIGURATION = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${WEBHOOK_CONFIGURATION}`;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-foreign-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function generation(): Promise<Generation> {
  return (await firstState(['127.0.0.1'], clock.now())).serving;
}

/** As the kubelet does it: a new folder, then one link is replaced. */
async function mount(version: string, { authority, leaf }: Generation): Promise<void> {
  const real = join(folder, `..${version}`);
  await mkdir(real);
  await writeFile(join(real, 'tls.crt'), leaf.cert);
  await writeFile(join(real, 'tls.key'), leaf.key);
  await writeFile(join(real, 'ca.crt'), authority.cert);
  await symlink(`..${version}`, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
}

const files = () => ({
  cert: join(folder, '..data/tls.crt'),
  key: join(folder, '..data/tls.key'),
  ca: join(folder, '..data/ca.crt'),
});

it('takes up files whose link was swapped, and keeps what it has while they cannot be used', async () => {
  const [first, second] = [await generation(), await generation()];
  await mount('1', first);
  const held = await openForeignCertificates({ source: certificateFiles(files()), clock, logger: silentLogger });
  expect(held.tls().cert).toBe(first.leaf.cert);
  await mount('2', { ...second, leaf: { ...second.leaf, key: first.leaf.key } });
  await expect(held.step()).rejects.toThrow(ForeignCertificateError);
  expect(held.tls().cert).toBe(first.leaf.cert);
  expect(held.problem()).toMatch(/tls.crt cannot be used: the key belongs to another certificate$/);
  await mount('3', second);
  await held.step();
  expect(held.tls()).toEqual({ cert: second.leaf.cert, key: second.leaf.key });
  expect(held.problem()).toBeUndefined();
  expect(await readlink(join(folder, '..data'))).toBe('..3');
  clock.advance(352 * DAY);
  expect(held.problem()).toBe('the certificate of the webhook ends in 13 days and was not renewed');
  clock.advance(-352 * DAY);
});

it('never writes a foreign Secret; publishes its authority first, when that is wanted', async () => {
  const store = objectStore();
  const secret = '/api/v1/namespaces/ns/secrets/cert';
  const put = ({ authority, leaf }: Generation) => {
    const data = { 'tls.crt': btoa(leaf.cert), 'tls.key': btoa(leaf.key), 'ca.crt': btoa(authority.cert) };
    store.objects.set(secret, { metadata: { name: 'cert', resourceVersion: '1' }, data });
  };
  const webhooks = [{ name: 'a', clientConfig: {} }];
  store.objects.set(CONFIGURATION, { metadata: { name: WEBHOOK_CONFIGURATION, resourceVersion: '1' }, webhooks });
  const [first, second] = [await generation(), await generation()];
  put(first);
  const deps = { source: tlsSecret(store, 'ns', 'cert'), clock, logger: silentLogger };
  await openForeignCertificates(deps);
  expect(store.writes).toEqual([]);
  const held = await openForeignCertificates({ ...deps, publishTo: store });
  put(second);
  await held.step();
  const bundle = () => atob(JSON.stringify(store.objects.get(CONFIGURATION)).match(/"caBundle":"([^"]+)"/)?.[1] ?? '');
  expect(bundle().match(/BEGIN/g)).toHaveLength(2);
  expect([held.tls().cert, held.busy()]).toEqual([first.leaf.cert, true]);
  clock.advance(31_000);
  await held.step();
  expect([held.tls().cert, held.busy()]).toEqual([second.leaf.cert, false]);
  expect(store.writes.every((one) => one === `PATCH ${CONFIGURATION}`)).toBe(true);
  store.objects.set(secret, { metadata: { name: 'cert', resourceVersion: '1' }, data: {} });
  await expect(held.step()).rejects.toThrow('the certificate in the Secret ns/cert cannot be used: it has no tls.crt');
});
