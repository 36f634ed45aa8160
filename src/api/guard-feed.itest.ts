import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { SYSTEM } from '../auth/principal.ts';
import { factsPage } from './contract/guard-feed.ts';
import { startApi, type TestApi } from './world.testing.ts';

const LAYERS = [{ distribution: '3.23', packages: ['musl@1'] }];
const BYTES = { 'content-type': 'application/octet-stream' };

describe.each(ENGINES)('what guards ask and tell, on %s', (engine) => {
  let api: TestApi;
  let now: number;
  beforeAll(async () => {
    api = await startApi(engine);
    now = api.world.clock.now();
    await api.world.push('front/app', LAYERS, '1');
    await api.world.push('back/app', LAYERS, '1');
  });
  afterAll(() => api.close());

  async function everything(as: string, body: Record<string, unknown> = {}) {
    const repositories = new Set<string>();
    let cursor: string | undefined;
    for (;;) {
      const reply = await api.call('POST', '/guard/facts', { as, body: { ...body, ...(cursor ? { cursor } : {}) } });
      expect(reply.status, reply.text).toBe(200);
      const page = factsPage.parse(reply.json);
      for (const { name } of page.repositories) repositories.add(name);
      cursor = page.cursor;
      if (page.complete) return { cursor, repositories: [...repositories].sort() };
    }
  }

  it('tells everybody of the projects they may read, and of those only', async () => {
    expect((await everything('admin')).repositories).toEqual(['back/app', 'front/app']);
    expect((await everything('guest')).repositories).toEqual(['front/app']);
    expect((await everything('eva')).repositories).toEqual([]);
    expect((await everything('admin', { projects: ['back', 'nowhere'] })).repositories).toEqual(['back/app']);
    expect((await everything('guest', { projects: ['front', 'back'] })).repositories).toEqual(['front/app']);
  });

  it('tells of a single image of another project to those who may read it', async () => {
    const ask = [{ repository: 'back/app', tag: '1' }];
    const told = async (as: string) => {
      const { cursor } = await everything(as, { projects: ['front'] });
      const body = { cursor, projects: ['front'], running: ['back/app'], ask };
      const reply = await api.call('POST', '/guard/facts', { as, body });
      return factsPage.parse(reply.json).repositories.map(({ name }) => name);
    };
    expect(await told('admin')).toEqual(['back/app']);
    expect(await told('guest')).toEqual([]);
  });

  it('tells what the policies of those projects say of references, and of no others', async () => {
    const digestRequired = 'warn';
    for (const id of ['front', 'back'])
      await api.deps.policies.set(SYSTEM, { id, name: id }, { digestRequired }, { reason: 'a test' });
    const told = async (as: string, body: Record<string, unknown> = {}) => {
      const projects: string[] = [];
      let cursor: string | undefined;
      for (let complete = false; !complete; ) {
        const reply = await api.call('POST', '/guard/facts', { as, body: { ...body, ...(cursor ? { cursor } : {}) } });
        const page = factsPage.parse(reply.json);
        for (const one of page.references ?? []) {
          expect(one.policies?.policy).toMatchObject({ digestRequired, disallowedTags: { globs: [] } });
          projects.push(...one.projects);
        }
        ({ cursor, complete } = page);
      }
      return projects.sort();
    };
    expect(await told('admin')).toEqual(['back', 'front']);
    expect(await told('guest')).toEqual(['front']);
    expect(await told('eva')).toEqual([]);
    expect(await told('admin', { projects: ['back'] })).toEqual(['back']);
    for (const id of ['front', 'back'])
      await api.deps.policies.set(SYSTEM, { id, name: id }, {}, { reason: 'no more' });
    expect(await told('admin')).toEqual([]);
  });

  it('answers a waiting guard when something is pushed', async () => {
    const { cursor } = await everything('admin');
    const waiting = api.call('POST', '/guard/facts', { as: 'admin', body: { cursor, waitSeconds: 25 } });
    const { digest } = await api.world.push('front/new', LAYERS, '2');
    const page = factsPage.parse((await waiting).json);
    expect(page.repositories.map(({ name }) => name)).toEqual(['front/new']);
    const { cursor: at } = page;
    expect(page.repositories[0]?.tags[0] ?? ['2', digest]).toEqual(['2', digest]);
    await api.call('POST', '/guard/facts', { as: 'admin', body: { cursor: at, waitSeconds: 0 } });
  });

  it('begins anew for who may see another set of projects than before', async () => {
    const { cursor } = await everything('guest');
    const call = () => api.call('POST', '/guard/facts', { as: 'guest', body: { cursor } });
    expect((await call()).json['reset']).toBeUndefined();
    await api.db.updateTable('projects').set({ public: 1 }).where('name', '=', 'back').execute();
    expect((await call()).json).toMatchObject({ reset: true, covers: ['front', 'back'] });
    await api.db.updateTable('projects').set({ public: 0 }).where('name', '=', 'back').execute();
    expect((await call()).json['reset']).toBeUndefined();
  });

  it('keeps the audit of a guard as its own', async () => {
    const head = { cluster: 'far', startedAt: now - 5, finishedAt: now, objects: 2, incomplete: [] };
    const violation = {
      constraintKind: 'K8sAllowedRepos',
      image: 'nginx:1',
      admittedWhileAway: true,
      constraint: 'c',
      action: 'warn',
      group: '',
      version: 'v1',
      kind: 'Pod',
      namespace: 'n',
      name: 'p',
      message: 'm',
    };
    const image = {
      namespace: 'n',
      kind: 'Pod',
      name: 'p',
      container: 'c',
      image: 'nginx:1',
      digest: `sha256:${'1'.repeat(64)}`,
    };
    const lines = [{ audit: head }, { violation }, { image }, { end: { violations: 1, images: 1 } }];
    const send = (list: readonly unknown[], as = 'admin') =>
      api.call('POST', '/guard/audit', {
        as,
        headers: BYTES,
        body: list.map((line) => JSON.stringify(line)).join('\n'),
      });
    expect((await send(lines)).status).toBe(204);
    const run = await api.deps.cluster.latestRun('far');
    expect(run).toMatchObject({ objects: 2, violations: 1, finishedAt: now });
    expect(run).toBeDefined();
    expect(await api.deps.cluster.violations('far')).toMatchObject([violation]);
    expect(await api.deps.cluster.images({ cluster: 'far' })).toMatchObject([image]);
    expect((await send(lines, 'lead')).status).toBe(403);
  });

  const denied = {
    constraintKind: 'K8sAllowedRepos',
    constraint: 'repos',
    action: 'denied',
    apiVersion: 'batch/v1',
    kind: 'Job',
    namespace: 'shop',
    name: 'import-',
    ownerKind: 'Job',
    ownerName: 'import-',
    image: 'nginx',
    message: 'no',
    user: 'ci',
    times: 2,
  };

  it('keeps what a guard said at admission, and counts up what it says again', async () => {
    const finding = { ...denied, firstAt: now - 10, lastAt: now };
    const send = (findings: readonly unknown[], as = 'admin') =>
      api.call('POST', '/guard/findings', { as, body: { cluster: 'far', findings } });
    expect((await send([finding, { ...finding, image: 'redis' }])).status).toBe(204);
    expect((await send([{ ...finding, name: 'import-2', times: 1, lastAt: now + 5 }])).status).toBe(204);
    const list = await api.call('GET', '/cluster/findings?cluster=far&namespace=shop', { as: 'admin' });
    const items = list.json['items'] as Record<string, unknown>[];
    expect(items).toHaveLength(2);
    expect(items.find(({ image }) => image === 'nginx')).toMatchObject({
      from: 'admission',
      action: 'denied',
      group: 'batch',
      kind: 'Job',
      name: 'import-2',
      times: 3,
      firstSeen: new Date(now - 10).toISOString(),
      lastSeen: new Date(now + 5).toISOString(),
    });
    expect((await send([finding], 'lead')).status).toBe(403);
    expect((await send([finding], 'guest')).status).toBe(403);
  });

  it.each<[string, Record<string, unknown>]>([
    ['no time', { lastAt: undefined }],
    ['a time in the future', { lastAt: 'future' }],
    ['an end before its beginning', { lastAt: 1 }],
    ['an action that is none', { action: 'eaten' }],
    ['a text without end', { message: 'x'.repeat(2001) }],
    ['NUL', { image: 'a\0b' }],
    ['no times', { times: 0 }],
    ['more than it may have', { more: true }],
  ])('refuses a report in which a finding has %s, and keeps nothing of it', async (_what, wrong) => {
    const good = { ...denied, firstAt: now - 10, lastAt: now };
    const bad = { ...good, ...wrong, ...(wrong['lastAt'] === 'future' ? { lastAt: now + 3600_000 } : {}) };
    const body = { cluster: 'bad', findings: [good, bad] };
    const reply = await api.call('POST', '/guard/findings', { as: 'admin', body });
    expect([reply.status, reply.json['code']], reply.text).toEqual([400, 'request_invalid']);
    const list = await api.call('GET', '/cluster/findings?cluster=bad', { as: 'admin' });
    expect(list.json['items']).toEqual([]);
  });

  it.each<[string, (head: Record<string, unknown>) => readonly unknown[]]>([
    ['nothing', () => []],
    ['no beginning', () => [{ end: { violations: 0, images: 0 } }]],
    ['no end', (head) => [{ audit: head }]],
    ['two beginnings', (head) => [{ audit: head }, { audit: head }]],
    ['lines missing', (head) => [{ audit: head }, { end: { violations: 1, images: 0 } }]],
    ['lines after the end', (head) => [{ audit: head }, { end: { violations: 0, images: 0 } }, { audit: head }]],
    [
      'a wrong digest',
      (head) => [
        { audit: head },
        { image: { namespace: '', kind: '', name: '', container: '', image: '', digest: 'x' } },
      ],
    ],
    ['NUL', (head) => [{ audit: { ...head, cluster: 'a\0b' } }, { end: { violations: 0, images: 0 } }]],
    [
      'an end in the future',
      (head) => [{ audit: { ...head, finishedAt: now + 3600_000 } }, { end: { violations: 0, images: 0 } }],
    ],
    [
      'an end long ago',
      (head) => [{ audit: { ...head, startedAt: 0, finishedAt: 1 } }, { end: { violations: 0, images: 0 } }],
    ],
    ['no JSON', () => ['{']],
  ])('refuses an audit with %s and keeps nothing of it', async (_what, linesOf) => {
    const head = { cluster: 'bad', startedAt: now - 5, finishedAt: now, objects: 0, incomplete: [] };
    const body = linesOf(head)
      .map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
      .join('\n');
    const reply = await api.call('POST', '/guard/audit', { as: 'admin', headers: BYTES, body });
    expect(reply.status, reply.text).toBe(400);
    expect(reply.json['code']).toBe('request_invalid');
    expect(await api.deps.cluster.latestRun('bad')).toBeUndefined();
  });
});
