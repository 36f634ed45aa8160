import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRateLimits } from '../auth/rate-limits.ts';
import { fixedClock } from '../platform/clock.ts';
import { pushImage, startRegistry, type TestRegistry } from './testing.ts';

const clock = fixedClock(0);
const settings = { limitPulls: 4, limitWrites: 4, limitApi: 0, limitAnonymous: 0 };
let registry: TestRegistry;
beforeAll(async () => {
  registry = await startRegistry('sqlite', 'memory', { limits: createRateLimits({ clock }, settings) });
});
afterAll(() => registry.close());

it('counts what a caller takes, says which limit it was and when to come back', async () => {
  // Two blobs and a manifest are three writes.
  const image = await pushImage(registry, 'front/app', '1');
  const as = 'reader';
  const reads = ['manifests/1', `manifests/${image.digest}`, 'tags/list', `referrers/${image.digest}`];
  for (const path of reads) expect((await registry.call('GET', `/v2/front/app/${path}`, { as })).status).toBe(200);
  for (const path of [...reads, '../../_catalog']) {
    const address = new URL(`/v2/front/app/${path}`, 'http://x').pathname;
    const refused = await registry.call('GET', address, { as });
    expect([address, refused.status, refused.code, refused.headers['retry-after']]).toEqual([
      address,
      429,
      'TOOMANYREQUESTS',
      '15',
    ]);
    expect(refused.body.toString()).toContain('of reader: at most 4 a minute; come back in 15 s');
  }
  expect((await registry.call('HEAD', '/v2/front/app/manifests/1', { as })).status).toBe(429);
  // Whoever has a manifest gets its layers.
  for (let times = 0; times < 6; times += 1)
    expect((await registry.call('GET', `/v2/front/app/blobs/${image.layer}`, { as })).status).toBe(200);
  // Others are not concerned, and come back when told.
  expect((await registry.call('GET', '/v2/front/app/manifests/1')).status).toBe(200);
  clock.advance(15_000);
  expect((await registry.call('GET', '/v2/front/app/manifests/1', { as })).status).toBe(200);
});

it('counts what is begun or changed, not the pieces of an upload', async () => {
  const begun = await registry.call('POST', '/v2/front/app/blobs/uploads/');
  expect(begun.status).toBe(202);
  let place = String(begun.headers['location']);
  for (let at = 0; at < 6; at += 1) {
    const reply = await registry.call('PATCH', place, { body: Buffer.from('x') });
    expect(reply.status).toBe(202);
    place = String(reply.headers['location']);
  }
  const taken = [];
  for (const [method, path] of [
    ['POST', 'blobs/uploads/'],
    ['PUT', 'manifests/1'],
    ['DELETE', 'manifests/1'],
    ['DELETE', `blobs/sha256:${'0'.repeat(64)}`],
  ] as const)
    taken.push((await registry.call(method, `/v2/front/app/${path}`)).status);
  expect(taken).toEqual([202, 429, 429, 429]);
});
