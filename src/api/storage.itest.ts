import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { createMemoryBlobStore } from '../blobs/drivers/memory.ts';
import { digestOf } from '../oci/digest.ts';
import { linkBlob } from '../registry/content-store.ts';
import { startApi, type TestApi } from './world.testing.ts';

const DAY = 86_400_000;

describe.each(ENGINES)('storage rules through the API on %s', (engine) => {
  let api: TestApi;
  beforeEach(async () => {
    api = await startApi(engine, { defaultQuota: 1000 });
    for (const [id, project] of [
      ['r1', 'front'],
      ['r2', 'back'],
    ] as const)
      await api.db
        .insertInto('repositories')
        .values({ id, project_id: project, name: `${project}/app`, created_at: 0 })
        .execute();
    const deps = { db: api.db, clock: api.deps.clock, blobs: createMemoryBlobStore({ clock: api.deps.clock }) };
    await linkBlob(deps, 'r1', { digest: digestOf('x'), size: 250 });
    await linkBlob(deps, 'r2', { digest: digestOf('y'), size: 40 });
  });
  afterEach(() => api.close());

  async function tag(name: string, daysAgo: number): Promise<void> {
    await api.db
      .insertInto('tags')
      .values({ repository_id: 'r1', name, digest: digestOf(name), updated_at: api.deps.clock.now() - daysAgo * DAY })
      .execute();
  }

  it('shows what is used, to those who may see the project', async () => {
    expect((await api.call('GET', '/projects/front/usage', { as: 'guest' })).json).toEqual({
      project: 'front',
      bytes: 250,
      blobs: 1,
      manifests: 0,
      quota: 1000,
      share: 0.25,
      repositories: [{ name: 'front/app', bytes: 250, blobs: 1, manifests: 0 }],
    });
    const all = await api.call('GET', '/usage', { as: 'admin' });
    expect(all.json.items?.map((item) => [item['project'], item['bytes']])).toEqual([
      ['back', 40],
      ['front', 250],
    ]);
    const own = await api.call('GET', '/usage', { as: 'guest' });
    expect(own.json.items?.map((item) => item['project'])).toEqual(['front']);
    expect((await api.call('GET', '/usage')).json.items).toEqual([]);
  });

  it('lets administrators only set a quota, and writes it down', async () => {
    const set = (quota: unknown, as = 'admin') => api.call('PUT', '/projects/front/quota', { as, body: { quota } });
    expect((await set(500)).json).toMatchObject({ quota: 500, share: 0.5 });
    expect((await api.call('GET', '/projects/front', { as: 'guest' })).json['quota']).toBe(500);
    expect((await set('unlimited')).json).toMatchObject({ quota: null });
    expect((await set('default')).json).toMatchObject({ quota: 1000 });
    expect((await set(0)).json).toMatchObject({ quota: 0 });
    expect((await set(500, 'lead')).status).toBe(403);
    for (const wrong of [-1, 1.5, '50GB', null, 2 ** 60]) expect((await set(wrong)).status, String(wrong)).toBe(400);
    const lines = await api.deps.ledger.list({ limit: 9, target: 'project/front' });
    expect(lines.map(({ details }) => [details['setting'], details['before'], details['after']])).toEqual([
      ['quota', 'default', 500],
      ['quota', 500, 'unlimited'],
      ['quota', 'unlimited', 'default'],
      ['quota', 'default', 0],
    ]);
  });

  it('keeps the rules of immutable tags whole, with their defaults', async () => {
    const set = (rules: unknown, as = 'lead') =>
      api.call('PUT', '/projects/front/immutable-tags', { as, body: { rules } });
    expect((await set([{ tags: ['v*'] }])).json['rules']).toEqual([
      { tags: ['v*'], exceptTags: [], repositories: ['**'], exceptRepositories: [] },
    ]);
    expect((await api.call('GET', '/projects/front', { as: 'dev' })).json['immutableTags']).toHaveLength(1);
    expect((await set([], 'dev')).status).toBe(403);
    const hostile = [
      [{ tags: [] }],
      [{ tags: ['v{1,2}'] }],
      [{ tags: ['*'.repeat(200)] }],
      [{ tags: Array.from({ length: 21 }, () => '*') }],
      Array.from({ length: 16 }, () => ({})),
      [{ repositories: ['../back'] }, { repositories: ['A'] }],
      [{ unknown: 1 }],
      'v*',
    ];
    for (const rules of hostile) expect((await set(rules)).status, JSON.stringify(rules)).toBe(400);
    expect((await set([])).json['rules']).toEqual([]);
    const deleted = await api.call('DELETE', '/projects/front?force=true', { as: 'admin' });
    expect(deleted.status).toBe(204);
  });

  it('previews, applies and remembers retention', async () => {
    await tag('old', 40);
    await tag('new', 1);
    const rules = [{ keep: 'pushed-within', days: 30 }];
    const set = (body: unknown, as = 'lead') => api.call('PUT', '/projects/front/retention', { as, body });
    expect((await set({ rules }, 'dev')).status).toBe(403);
    for (const wrong of [[{ keep: 'forever' }], [{ keep: 'always', days: 3 }], [{ keep: 'latest-pushed', count: 0 }]])
      expect((await set({ rules: wrong })).status).toBe(400);
    expect((await set({ rules })).status).toBe(200);
    expect((await api.call('GET', '/projects/front/retention', { as: 'guest' })).json).toMatchObject({
      rules: [{ keep: 'pushed-within', days: 30, tags: ['*'] }],
      changedBy: 'lead',
    });
    const expected = {
      examined: 2,
      removed: 1,
      tags: [
        { kind: 'remove', repository: 'front/app', tag: 'old', because: 'pushed-within 30: pushed 40 days ago' },
        { kind: 'keep', tag: 'new', because: 'pushed-within 30' },
      ],
    };
    const preview = await api.call('GET', '/projects/front/retention/preview', { as: 'guest' });
    expect(preview.json).toMatchObject(expected);
    expect((await api.call('POST', '/projects/front/retention/runs', { as: 'dev' })).status).toBe(403);
    const run = await api.call('POST', '/projects/front/retention/runs', { as: 'lead' });
    expect(run.json).toEqual(preview.json);
    const history = await api.call('GET', '/projects/front/retention/runs', { as: 'guest' });
    expect(history.json.items).toMatchObject([{ actor: 'lead', rules: ['pushed-within 30'], examined: 2, removed: 1 }]);
    expect((await api.call('GET', '/projects/front/retention/preview', { as: 'guest' })).json).toMatchObject({
      removed: 0,
    });
  });
});
