import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { DAY, NOW } from '../verdicts/world.testing.ts';
import { startApi, type TestApi } from './world.testing.ts';

const LAYERS = [{ distribution: '3.23', packages: ['musl@1.2.5'] }];
const until = new Date(NOW + 10 * DAY).toISOString();
const source = { entry: 'harbor.example.com', criteria: 'c', findings: 'f', owner: 'o', reviewDue: until };

describe.each(ENGINES)('hostile input to the management API on %s', (engine) => {
  let api: TestApi;
  let digests: string[];
  beforeAll(async () => {
    api = await startApi(engine);
    const pushed = await Promise.all(
      ['1', '2', '3'].map((tag) => api.world.push('front/app', [...LAYERS, { packages: [`zlib@1.${tag}`] }], tag)),
    );
    digests = pushed.map(({ digest }) => digest).sort();
  });
  afterAll(() => api.close());

  // PostgreSQL refuses NUL in text; without a check of ours that is an internal error there and a stored NUL on SQLite.
  it.each([
    ['GET', '/projects/%00', undefined],
    ['GET', '/projects/a%00b/policy', undefined],
    ['GET', '/projects/front/repositories?after=%00', undefined],
    ['GET', '/projects/front/manifests?repository=front/app%00', undefined],
    ['GET', '/ledger?target=%00', undefined],
    ['GET', '/verdicts?image=front%00/app:1', undefined],
    ['GET', '/findings?vulnerability=%00', undefined],
    ['GET', '/findings/images?vulnerability=CVE-1&package=%00', undefined],
    ['PUT', '/users/%00/password', { password: 'long enough for anybody' }],
    ['PUT', '/users/%00/disabled', { disabled: true }],
    ['PUT', '/projects/front/members/%00', { role: 'guest' }],
    ['POST', '/projects/front/exceptions', { vulnerability: 'CVE-2024-1', reason: 'a\0b', until }],
    ['POST', '/projects/front/exceptions', { vulnerability: 'CVE-2024-1', reason: 'a', package: '\0', until }],
    ['POST', '/projects/front/exceptions', { vulnerability: 'CVE-2024-1', reason: 'half \ud800', until }],
    ['POST', '/projects/front/exceptions/%00/grant', { reason: 'a' }],
    ['POST', '/trusted-sources', { ...source, criteria: 'a\0' }],
    ['POST', '/trusted-sources/%00/approve', { reason: 'a' }],
  ] as const)('refuses text that cannot be kept: %s %s', async (method, path, body) => {
    const reply = await api.call(method, path, { as: 'admin', ...(body ? { body } : {}) });
    expect(reply.json, reply.text).toMatchObject({ status: 400, code: 'request_invalid' });
    expect(String(reply.json['detail'])).toMatch(/NUL or half a character/);
  });

  it('finds such text deep inside a policy', async () => {
    const { policy } = (await api.call('GET', '/projects/front/policy', { as: 'admin' })).json as { policy: object };
    const body = { policy: { ...policy, severitySources: ['nvd', 'a\0'] }, reason: 'order' };
    const reply = await api.call('PUT', '/projects/front/policy', { as: 'admin', body });
    expect(reply.status, reply.text).toBe(400);
    expect(String(reply.json['detail'])).toContain('policy.severitySources.1');
  });

  it('takes nothing over from a change that it refuses', async () => {
    for (const refused of [
      { public: true, upstream: { url: 'file:///etc' } },
      { public: true, upstream: { url: 'https://registry.example.com', username: 'alone' } },
      { public: true, block: 'low', reason: '  ' },
      { public: true, block: 'low', reason: 'x'.repeat(2001) },
    ]) {
      const reply = await api.call('PATCH', '/projects/front', { as: 'admin', body: refused });
      expect(reply.status, reply.text).toBe(400);
      const { json } = await api.call('GET', '/projects/front', { as: 'admin' });
      expect(json, JSON.stringify(refused).slice(0, 200)).toMatchObject({ public: false, policy: { version: 0 } });
      expect(json['upstream']).toBeUndefined();
    }
  });

  it('tells who may not read the receivers of the installation that projects have their own', async () => {
    const test = (query: string) => api.call('POST', `/receivers/none/test${query}`, { as: 'lead' });
    const everywhere = await test('');
    expect([everywhere.status, everywhere.json['detail']]).toEqual([403, expect.stringContaining('--project NAME')]);
    expect((await test('?project=front')).status).toBe(404);
  });

  it('refuses an analysis that shows something other than it says, and keeps nothing of it', async () => {
    for (const said of [
      { criteria: '\u0001'.repeat(8000), findings: '\u0001'.repeat(8000) },
      { criteria: 'signed\r\nweekly' },
      { findings: 'both \u202ehold' },
      { owner: 'platform\nteam' },
    ]) {
      const reply = await api.call('POST', '/trusted-sources', { as: 'admin', body: { ...source, ...said } });
      expect([reply.status, reply.json['detail']]).toEqual([400, expect.stringContaining('printable text')]);
    }
    expect((await api.call('GET', '/trusted-sources', { as: 'admin' })).json.items).toEqual([]);
  });

  it('answers a body nested without end like any other that has the wrong form', async () => {
    for (const body of [
      '['.repeat(400_000) + ']'.repeat(400_000),
      `{"name":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    ]) {
      const reply = await api.call('POST', '/projects', {
        as: 'admin',
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(reply.status, reply.text.slice(0, 200)).toBe(400);
    }
  });

  it('answers unknown calls below its address in its own form', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['DELETE', '/projects'],
      ['PATCH', '/projects/front/members'],
    ] as const) {
      const reply = await api.call(method, path, { as: 'admin' });
      expect(reply.headers['content-type'], path).toContain('application/problem+json');
      expect(reply.json).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  it.each([
    'name=Foo',
    'name=a%0Ab',
    'url=http://10.0.0.5:8443',
    'url=junk',
    'url=https://user:pw@10.0.0.5',
    'url=https://10.0.0.5/?x=1',
    'service=ns/guard',
    'service=bad%20name',
    'service=guard&url=https://10.0.0.5:8443',
    'failurePolicy=Fail',
    'failurePolicy=Fail&replicas=1',
  ])('prints no manifests that a cluster refuses: %s', async (query) => {
    const reply = await api.call('GET', `/guard/manifests?${query}`, { as: 'admin' });
    expect(reply.json, reply.text.slice(0, 200)).toMatchObject({ status: 400, code: 'request_invalid' });
  });

  it.each([
    'service=guard',
    'failurePolicy=Fail&replicas=2',
    'url=https://10.0.0.5:8443',
    'name=require-harbor-repo.v2',
  ])('prints manifests with %s', async (query) => {
    const reply = await api.call('GET', `/guard/manifests?${query}`, { as: 'admin' });
    expect(reply.status, reply.text.slice(0, 200)).toBe(200);
  });

  const many = (count: number, name: (at: number) => string) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [name(at), 1]));
  const LONG = 'b'.repeat(900_000);

  it.each([
    [
      'PUT',
      '/projects/front/policy',
      { policy: { [LONG]: 1 }, reason: 'r' },
      /^the policy is not valid: unknown field "b{99}/,
    ],
    [
      'PUT',
      '/projects/front/policy',
      { policy: many(1000, (at) => `${at}`.padEnd(900, 'x')), reason: 'r' },
      /; and 990 more$/,
    ],
    ['PUT', '/projects/front/policy', { policy: many(40_000, (at) => `block${at}`), reason: 'r' }, /; and 39990 more$/],
    [
      'PUT',
      '/projects/front/policy',
      { policy: { locked: Array(40_000).fill('blok') }, reason: 'r' },
      /; and 39990 more$/,
    ],
    ['PUT', '/projects/front/policy', { policy: { ['a.'.repeat(400_000)]: 1 }, reason: 'r' }, /unknown field/],
    [
      'PATCH',
      '/projects/front/policy',
      { set: many(10_000, (at) => `graceDays.${at}`), reason: 'r' },
      /; and 9990 more$/,
    ],
    ['PATCH', '/projects/front/policy', { set: { [LONG]: 1 }, reason: 'r' }, /unknown field/],
    ['POST', '/projects/front/simulations', { policy: { [LONG]: 1 } }, /unknown field/],
    ['POST', '/projects/front/simulations', { set: many(10_000, (at) => `graceDays.${at}`) }, /; and 9990 more$/],
    ['POST', '/projects/front/simulations', { set: { [LONG]: 1 } }, /^set\.b+: /],
    ['POST', '/projects/front/exceptions', many(40_000, (at) => `reason${at}`), /more$/],
    [
      'POST',
      '/projects/front/exceptions',
      { [LONG]: 1, vulnerability: 'CVE-2024-1', reason: 'r', until },
      /unknown field/,
    ],
  ] as const)(
    'refuses unknown names, however many and long, at once and in few words: %s %s #%#',
    async (method, path, body, words) => {
      const text = JSON.stringify(body);
      const ask = () =>
        api.call(method, path, { as: 'admin', body: text, headers: { 'content-type': 'application/json' } });
      await ask();
      const start = performance.now();
      const reply = await ask();
      expect(performance.now() - start).toBeLessThan(1000);
      expect(reply.status, reply.text.slice(0, 300)).toBe(400);
      expect(reply.text.length).toBeLessThan(4000);
      expect(String(reply.json['detail'])).toMatch(words);
    },
  );

  it.each([
    ['POST', '/projects/front/exceptions', { vulnerabilty: 'CVE-2024-1', reason: 'r', until }, 'vulnerability'],
    ['GET', '/findings?severty=high', undefined, 'severity'],
    ['POST', '/projects/front/simulations', { exceptions: [{ vulnerabilty: 'CVE-2024-1', until }] }, 'vulnerability'],
    ['PATCH', '/projects/front/policy', { set: { block: { fixble: 'high' } }, reason: 'r' }, 'block.fixable'],
    [
      'POST',
      '/receivers',
      {
        name: 'jira',
        kind: 'ticket',
        target: { url: 'https://jira.example.com' },
        settings: { ticket: { open: { methd: 'POST' }, id: '/id', close: { method: 'POST' } } },
      },
      'method',
    ],
  ] as const)('says which field was probably meant: %s %s', async (method, path, body, meant) => {
    const reply = await api.call(method, path, { as: 'admin', ...(body ? { body } : {}) });
    expect(reply.status, reply.text).toBe(400);
    expect(String(reply.json['detail'])).toContain(`; did you mean "${meant}"?`);
  });

  it.each(['9007199254740991', '9007199254740993', '-1', '1.5', 'x', '%00'])(
    'takes any place to go on from, or says it is none: %s',
    async (after) => {
      for (const path of [`/ledger?after=${after}`, `/verdicts/history?image=front/app:1&after=${after}`])
        expect([200, 400], path).toContain((await api.call('GET', path, { as: 'admin' })).status);
    },
  );

  it('leads through a list page by page by its Link, without gap or repetition', async () => {
    for (const [path, key] of [
      ['/projects/front/manifests?repository=front/app&limit=1', 'digest'],
      ['/ledger?limit=4&target=project%2Ffront', 'seq'],
      ['/ledger?limit=4', 'seq'],
    ] as const) {
      const whole = await api.call('GET', path.replace(/limit=\d+/, 'limit=1000'), { as: 'admin' });
      expect(whole.headers['link'], path).toBeUndefined();
      const seen: unknown[] = [];
      for (let next: string | undefined = path; next !== undefined; ) {
        const { json, headers } = await api.call('GET', next, { as: 'admin' });
        seen.push(...(json.items ?? []).map((item) => item[key]));
        const link = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1];
        expect(link === undefined, next).toBe(json['next'] === undefined);
        next = link;
      }
      expect(seen, path).toEqual(whole.json.items?.map((item) => item[key]));
    }
  });

  it('lists manifests with tags and verdicts, untagged ones too, of the project that is asked for only', async () => {
    await api.db.deleteFrom('tags').where('name', '=', '3').execute();
    const { json } = await api.call('GET', '/projects/front/manifests?repository=front/app', { as: 'guest' });
    expect(json.items?.map(({ digest }) => digest)).toEqual(digests);
    expect(json.items?.flatMap(({ tags }) => tags as string[]).sort()).toEqual(['1', '2']);
    expect(json.items?.map(({ verdict }) => typeof verdict)).toEqual(['string', 'string', 'string']);
    // Rights in one project show nothing of another.
    for (const repository of ['back/app', 'front/none', 'front'])
      expect(
        (await api.call('GET', `/projects/front/manifests?repository=${repository}`, { as: 'guest' })).status,
        repository,
      ).toBe(404);
    await api.world.push('back/app', LAYERS, '1');
    const other = await api.call('GET', '/projects/front/manifests?repository=back/app', { as: 'guest' });
    expect(other.json).toMatchObject({ status: 404, code: 'not_found' });
  });
});
