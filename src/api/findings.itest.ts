import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { ALPINE, advisoriesOf, NOW } from '../verdicts/world.testing.ts';
import { startApi, type TestApi } from './world.testing.ts';

const LAYERS = [{ distribution: '3.23', packages: ['musl@1-r0', 'openssl@1-r0'] }];

describe.each(ENGINES)('findings through the management API on %s', (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi(engine);
    api.world.state.advisories = advisoriesOf({
      [`${ALPINE}/musl`]: [{ id: 'CVE-2024-1', severity: 'critical', fixed: '2-r0' }],
      [`${ALPINE}/openssl`]: [{ id: 'CVE-2024-2', severity: 'high', fixed: '2-r0' }],
    });
    for (const [name, tag] of [
      ['front/app', '1'],
      ['front/web', 'latest'],
      ['back/app', '1'],
    ] as const)
      await api.world.push(name, LAYERS, tag);
  });
  afterAll(() => api.close());

  const list = (query: string, as: string) => api.call('GET', `/findings${query}`, { as });
  const repositoriesOf = async (as: string) =>
    [...new Set((await list('', as)).json.items?.map(({ repository }) => String(repository)))].sort();

  it('shows everybody what they may read', async () => {
    expect(await repositoriesOf('admin')).toEqual(['back/app', 'front/app', 'front/web']);
    expect(await repositoriesOf('guest')).toEqual(['front/app', 'front/web']);
    expect(await repositoriesOf('eva')).toEqual([]);
    expect((await api.call('GET', '/findings')).json.items).toEqual([]);
    await api.db.updateTable('projects').set({ public: 1 }).where('id', '=', 'back').execute();
    expect(await repositoriesOf('eva')).toEqual(['back/app']);
    await api.db.updateTable('projects').set({ public: 0 }).where('id', '=', 'back').execute();
  });

  it('shows no count of what is hidden', async () => {
    expect((await list('?vulnerability=CVE-2024-1', 'eva')).json).toMatchObject({ items: [], total: 0 });
    expect((await api.call('GET', '/findings/images?vulnerability=CVE-2024-1', { as: 'eva' })).json.items).toEqual([]);
  });

  it.each([
    '/findings?project=back',
    '/findings?repository=back/app',
    '/findings?project=none',
    '/findings?repository=none/app',
    '/findings/images?vulnerability=CVE-2024-1&project=back',
  ])('does not tell whether what is hidden exists: %s', async (path) => {
    expect((await api.call('GET', path, { as: 'guest' })).json).toMatchObject({ status: 404, code: 'project_unknown' });
  });

  it('says what it found', async () => {
    const { json } = await list('?project=front&severity=critical&fixable=true&status=blocked,warned', 'dev');
    const policy = (await api.call('GET', '/projects/front', { as: 'dev' })).json['policy'];
    expect(policy).toMatchObject({ block: { fixable: 'off' } });
    const common = {
      vulnerability: 'CVE-2024-1',
      aliases: [],
      package: 'musl',
      installed: '1-r0',
      fixed: '2-r0',
      severity: 'critical',
      kev: false,
      firstSeen: new Date(NOW).toISOString(),
      images: 1,
      statuses: { warned: 1 },
    };
    expect(json).toEqual({
      items: expect.arrayContaining([
        { ...common, repository: 'front/app' },
        { ...common, repository: 'front/web' },
      ]),
      total: 2,
      complete: true,
    });
  });

  it('names the images', async () => {
    const { json } = await api.call('GET', '/findings/images?vulnerability=cve-2024-2&package=open*&limit=1', {
      as: 'admin',
    });
    expect(json.items).toMatchObject([{ package: 'openssl', severity: 'high', status: 'warned' }]);
    const seen = new Set<string>();
    for (let next: string | undefined = ''; next !== undefined; ) {
      const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
      const page = await api.call('GET', `/findings/images?vulnerability=CVE-2024-2&limit=1${after}`, { as: 'admin' });
      for (const item of page.json.items ?? []) seen.add(`${String(item['repository'])} ${String(item['tags'])}`);
      next = page.json.next;
    }
    expect([...seen].sort()).toEqual(['back/app 1', 'front/app 1', 'front/web latest']);
  });

  it('leads through the list by its Link', async () => {
    const seen: unknown[] = [];
    for (let next: string | undefined = '/findings?limit=1&sort=repository'; next !== undefined; ) {
      const { json, headers } = await api.call('GET', next, { as: 'admin' });
      seen.push(
        ...(json.items ?? []).map(({ repository, vulnerability }) => `${String(repository)} ${String(vulnerability)}`),
      );
      next = /^<\/api\/v1([^>]+)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1];
    }
    expect(seen).toEqual(
      ['back/app', 'front/app', 'front/web'].flatMap((name) => [`${name} CVE-2024-1`, `${name} CVE-2024-2`]),
    );
  });

  it('says that verdicts of before are still to come', async () => {
    await api.db.insertInto('settings').values({ key: 'findings.to-be-filled', value: 'true' }).execute();
    expect((await list('', 'admin')).json['complete']).toBe(false);
    await api.db.deleteFrom('settings').where('key', '=', 'findings.to-be-filled').execute();
  });

  it.each([
    ['?severty=high', /severty.*severity/],
    ['?severity=bad', /severity/],
    ['?fixable=1', /fixable/],
    ['?status=blocked,', /status: give one or more of blocked, in-grace/],
    ['?sort=age', /sort/],
    ['?limit=0', /limit/],
    ['?limit=1001', /limit/],
    ['?after=x', /after: the "next" of a page before/],
    [`?after=${Buffer.from('["severity",1.5,1,1,1]').toString('base64url')}`, /after/],
    [`?after=${Buffer.from('["severity",1e300,1,1,1]').toString('base64url')}`, /after/],
    [`?sort=package&after=${Buffer.from('["package","a\\u0000",1,1]').toString('base64url')}`, /after/],
    ['?package=%00', /NUL/],
    ['?vulnerability=', /vulnerability/],
    ['?project=front&repository=back/app', /not in project front/],
    ['/images', /vulnerability/],
    ['/images?vulnerability=CVE-2024-1&after=1%202', /after/],
    ['/images?vulnerability=CVE-2024-1&after=1%202%20-3', /after/],
  ])('refuses %s', async (query, words) => {
    const { json, text } = await list(query, 'admin');
    expect(json, text).toMatchObject({ status: 400, code: 'request_invalid' });
    expect(String(json['detail'])).toMatch(words);
  });

  it.each([
    "?package='--",
    '?package=%25',
    '?package=*',
    '?vulnerability=%27%20or%201=1',
    `?package=${'x'.repeat(255)}`,
  ])('takes text as text: %s', async (query) => {
    const { status, json } = await list(query, 'admin');
    expect(status).toBe(200);
    expect(json.items).toHaveLength(query === '?package=*' ? 6 : 0);
  });

  it('names what is missing of a project that may be read', async () => {
    expect((await list('?repository=front/none', 'guest')).json).toMatchObject({
      status: 404,
      code: 'not_found',
      detail: 'project "front" has no repository front/none',
    });
  });
});
