import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fixedClock } from '../platform/clock.ts';
import { CertificateError, openCertificates } from './certificates.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const hosts = ['localhost', '127.0.0.1', 'breakwater-webhook.breakwater-system.svc'];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-certificates-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function authorities(bundle: string): X509Certificate[] {
  return bundle
    .split(/(?<=-----END CERTIFICATE-----)\s+/)
    .filter((pem) => pem !== '')
    .map((pem) => new X509Certificate(pem));
}

function isTrusted(leafPem: string, bundle: string): boolean {
  const leaf = new X509Certificate(leafPem);
  return authorities(bundle).some((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey));
}

it('makes an authority for 10 years and a certificate for 1, for the names it is given', async () => {
  const made = await openCertificates({ folder, hosts, clock: fixedClock(START) });
  const leaf = new X509Certificate(made.tls().cert);
  expect(leaf.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, DNS:breakwater-webhook.breakwater-system.svc');
  expect(leaf.ca).toBe(false);
  expect(Date.parse(leaf.validTo)).toBe(START + 365 * DAY);
  const [authority] = authorities(made.caBundle);
  expect(authority?.ca).toBe(true);
  expect(Date.parse(authority?.validTo ?? '')).toBe(START + 3650 * DAY);
  expect(isTrusted(made.tls().cert, made.caBundle)).toBe(true);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
});

it('is the same after a restart, and anew for other names', async () => {
  const clock = fixedClock(START);
  const first = await openCertificates({ folder, hosts, clock });
  const second = await openCertificates({ folder, hosts, clock });
  expect(second.tls()).toEqual(first.tls());
  const third = await openCertificates({ folder, hosts: ['example.org'], clock });
  expect(new X509Certificate(third.tls().cert).subjectAltName).toBe('DNS:example.org');
  expect(third.caBundle).toBe(first.caBundle);
});

it('renews 90 days before the end and not earlier', async () => {
  const clock = fixedClock(START);
  const held = await openCertificates({ folder, hosts, clock });
  const { cert } = held.tls();
  clock.set(START + 274 * DAY);
  expect(await held.renew()).toEqual({ leafChanged: false, bundleChanged: false });
  clock.set(START + 276 * DAY);
  expect(await held.renew()).toEqual({ leafChanged: true, bundleChanged: false });
  expect(held.tls().cert).not.toBe(cert);
  expect(isTrusted(held.tls().cert, held.caBundle)).toBe(true);
});

it('over 25 years a client that refreshes its bundle within a month never meets a stranger', async () => {
  const clock = fixedClock(START);
  const held = await openCertificates({ folder, hosts, clock });
  let bundles = [held.caBundle];
  let overlaps = 0;
  for (let day = 0; day < 25 * 365; day += 15) {
    clock.set(START + day * DAY);
    await held.renew();
    // The client still has the bundle of 15 or 30 days ago.
    bundles = [held.caBundle, ...bundles].slice(0, 3);
    const { cert } = held.tls();
    expect(
      bundles.every((bundle) => isTrusted(cert, bundle)),
      `day ${day}`,
    ).toBe(true);
    expect(Date.parse(new X509Certificate(cert).validTo)).toBeGreaterThan(clock.now());
    if (authorities(held.caBundle).length > 1) overlaps += 1;
  }
  expect(overlaps).toBeGreaterThan(10);
});

it('a server that slept past every end has working certificates again', async () => {
  const clock = fixedClock(START);
  const held = await openCertificates({ folder, hosts, clock });
  clock.set(START + 20 * 365 * DAY);
  await held.renew();
  const leaf = new X509Certificate(held.tls().cert);
  expect(Date.parse(leaf.validTo)).toBe(clock.now() + 365 * DAY);
  expect(isTrusted(held.tls().cert, held.caBundle)).toBe(true);
});

it('refuses a file that is something else', async () => {
  await writeFile(join(folder, 'webhook-certificates.json'), '{"leaf":1}');
  await expect(openCertificates({ folder, hosts, clock: fixedClock(START) })).rejects.toThrow(CertificateError);
});
