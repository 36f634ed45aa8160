import { afterEach, expect, it } from 'vitest';
import { startApi, type TestApi } from './world.testing.ts';

const DAY = 86_400_000;

let api: TestApi;
afterEach(() => api.close());

it('collects garbage when an administrator says so, and shows how it stands', async () => {
  api = await startApi('sqlite');
  const now = api.deps.clock.now();
  const longAgo = now - 3 * DAY;
  await api.db
    .insertInto('blobs')
    .values({ digest: `sha256:${'a'.repeat(64)}`, size: 7, created_at: longAgo })
    .execute();
  await api.db
    .insertInto('gc_reviews')
    .values({
      kind: 'blob',
      repository_id: '',
      digest: `sha256:${'a'.repeat(64)}`,
      changed_at: longAgo,
      not_before: 0,
      attempts: 0,
    })
    .execute();
  const before = await api.call('GET', '/gc', { as: 'admin' });
  expect(before.json).toMatchObject({
    delaySeconds: 3600,
    queue: { blob: { waiting: 1, due: 1, overdue: 1, failing: 0 } },
    damaged: 0,
  });
  const deleted = { manifest: 0, link: 0, blob: 1 };
  const dry = await api.call('POST', '/gc/runs', { as: 'admin', body: { dryRun: true } });
  expect(dry.json).toEqual({ reviewed: 1, deleted, bytes: 7, failed: 0, more: false });
  for (const [count, freed] of [
    [1, 7],
    [0, 0],
  ])
    expect((await api.call('POST', '/gc/runs', { as: 'admin', body: {} })).json).toMatchObject({
      reviewed: count,
      deleted: { blob: count },
      bytes: freed,
    });
  expect((await api.call('GET', '/gc', { as: 'admin' })).json).toMatchObject({
    queue: { blob: { waiting: 0 } },
    lastRun: { reviewed: 1, deleted, at: new Date(now).toISOString() },
  });
});

it('lets the administrators of a project give untagged manifests up, and says so in the ledger', async () => {
  api = await startApi('sqlite');
  expect((await api.call('GET', '/projects/front', { as: 'lead' })).json['untagged']).toBe('keep');
  const refused = await api.call('PATCH', '/projects/front', { as: 'lead', body: { untagged: 'burn' } });
  expect(refused.status).toBe(400);
  const changed = await api.call('PATCH', '/projects/front', { as: 'lead', body: { untagged: 'delete' } });
  expect(changed.json['untagged']).toBe('delete');
  const [line] = await api.deps.ledger.list({ limit: 9, target: 'project/front' });
  expect(line).toMatchObject({
    actor: 'lead',
    action: 'project.update',
    details: { setting: 'untagged', before: 'keep', after: 'delete' },
  });
});
