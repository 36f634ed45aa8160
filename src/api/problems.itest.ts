import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from './world.testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi('sqlite');
});
afterAll(() => api.close());

const json = { 'content-type': 'application/json' };

describe('errors of the management API', () => {
  it.each([
    ['a body that is no JSON', { body: '{"name": ', headers: json }, 400, /JSON|body/i],
    ['a body of another type', { body: 'name=front', headers: { 'content-type': 'text/csv' } }, 415, /media type/i],
    ['a list for an object', { body: ['front'] }, 400, /expected object/],
    ['a field that is not known', { body: { name: 'x', colour: 'red' } }, 400, /colour/],
    ['a field of the wrong type', { body: { name: 7 } }, 400, /name: .*string/],
    ['a level that does not exist', { body: { name: 'x', block: 'awful' } }, 400, /block: /],
    ['no body at all', {}, 400, /name: /],
    ['a name that cannot be', { body: { name: 'Front Office' } }, 400, /lower-case/],
    ['a body without end', { body: { name: 'x'.repeat(2_000_000) } }, 413, /large/],
    ['a name that is taken', { body: { name: 'front' } }, 409, /already/],
    ['an upstream that is no address', { body: { name: 'hub', upstream: { url: 'file:///etc' } } }, 400, /address/],
  ] as const)('createProject with %s', async (_what, options, status, detail) => {
    const reply = await api.call('POST', '/projects', { as: 'admin', ...options });
    expect(reply.status, reply.text).toBe(status);
    expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(reply.json).toMatchObject({ status, code: expect.stringMatching(/^[a-z_]+$/) });
    expect(String(reply.json['detail'])).toMatch(detail);
    expect(reply.text).not.toMatch(/node_modules|\.ts:\d/);
  });

  it.each([
    ['/projects/front/repositories?limit=0', /limit/],
    ['/projects/front/repositories?limit=1001', /limit/],
    ['/projects/front/repositories?limit=many', /limit/],
    ['/projects/front/repositories?colour=red', /colour/],
    ['/ledger?after=first', /after/],
    ['/ledger?from=yesterday', /from/],
    ['/verdicts', /image/],
    ['/guard/manifests?enforcement=sometimes', /enforcement/],
    ['/evidence?from=2026-01-01T00:00:00Z', /to/],
  ])('names what is wrong with %s', async (path, detail) => {
    const reply = await api.call('GET', path, { as: 'admin' });
    expect(reply.status, reply.text).toBe(400);
    expect(String(reply.json['detail'])).toMatch(detail);
  });

  it.each([
    'front/app:missing',
    'front/nothing@sha256:0000000000000000000000000000000000000000000000000000000000000000',
    'front/nothing',
  ])('says that there is no image %s', async (image) => {
    const reply = await api.call('GET', `/verdicts?image=${encodeURIComponent(image)}`, { as: 'admin' });
    expect(reply.json).toMatchObject({ status: 404, code: 'not_found' });
    expect(String(reply.json['detail'])).toContain(image);
  });

  it.each([
    'front/../back/app:1',
    'front//app',
    'front/App:1',
    'front/app@sha256:short',
    'front/app:bad tag',
    'front/app\n:1',
    '/front/app',
    `front/${'a/'.repeat(200)}b`,
  ])('takes %j for no image', async (image) => {
    const reply = await api.call('GET', `/verdicts?image=${encodeURIComponent(image)}`, { as: 'admin' });
    expect(reply.status, reply.text).toBeGreaterThanOrEqual(400);
    expect(reply.status, reply.text).toBeLessThan(500);
  });

  it('answers unknown addresses and methods as errors, not as pages', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['DELETE', '/projects'],
      ['GET', '/projects/%zz'],
    ] as const) {
      const reply = await api.call(method, path, { as: 'admin' });
      expect(reply.status, path).toBeGreaterThanOrEqual(400);
      expect(reply.status, path).toBeLessThan(500);
    }
  });

  it('keeps names that look like parts of JavaScript apart from them', async () => {
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect((await api.call('GET', `/projects/${name}`, { as: 'admin' })).status, name).toBe(404);
    const reply = await api.call('POST', '/projects', {
      as: 'admin',
      body: '{"name": "poison", "__proto__": {"public": true}}',
      headers: json,
    });
    expect(reply.status).toBe(400);
  });

  it.each(['Basic', 'Basic ???', 'Basic bm9jb2xvbg==', 'Bearer abc', 'Digest x', `Basic ${'A'.repeat(15_000)}`])(
    'takes no %.20s for a login',
    async (authorization) => {
      const reply = await api.call('GET', '/projects', { headers: { authorization } });
      expect(reply.json).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(reply.headers['www-authenticate']).toBe('Basic realm="breakwater"');
    },
  );

  it('tells a wrong password from nothing, and slows down who goes on guessing', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const reply = await api.call('GET', '/users/current', { as: 'eva', password: `guess ${attempt}` });
      statuses.push(reply.status);
      if (reply.status === 429) expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
      expect(String(reply.json['detail'])).not.toMatch(/guess|unknown user/);
    }
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
  });
});
