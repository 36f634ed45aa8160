import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { SYSTEM } from '../auth/principal.ts';
import { createSecretBox } from '../auth/secret-box.ts';
import { collect } from '../gc/collect.ts';
import { DAY, type GcWorld, startGcWorld } from '../gc/world.testing.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { createProjectStore } from '../projects/project-store.ts';
import { imageManifest, pushBlob, pushImage, pushManifest } from '../registry/testing.ts';
import { noteArrival } from './changes.ts';
import { foldUsage } from './fold.ts';
import { counted, recount, sorted } from './recount.testing.ts';
import { readBytes, readRepositoryUsage, readUsage, totalBytes } from './usage.ts';

const REPOSITORIES = ['front/a', 'front/b', 'front/c', 'back/a'] as const;
const LAYERS = Array.from({ length: 5 }, (_, at) => `layer ${at} `.repeat(10 + at));
const TAGS = ['1', '2', '3'];

const place = fc.constantFrom(...REPOSITORIES);
const layer = fc.constantFrom(...LAYERS);
const tag = fc.constantFrom(...TAGS);
const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('image' as const), place, layers: fc.array(layer, { maxLength: 3 }), tag }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('blob' as const), place, layer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mount' as const), place, from: place, layer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('index' as const), place, tag }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('untag' as const), place, tag }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), place, tag }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unlink' as const), place, layer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('collect' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fold' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

describe.each(ENGINES)('what a project uses, on %s', (engine) => {
  let world: GcWorld;
  beforeEach(async () => {
    world = await startGcWorld(engine);
  });
  afterEach(() => world.registry.close());

  const call = (...args: Parameters<GcWorld['registry']['call']>) => world.registry.call(...args);
  const usageOf = async (project: string) => (await readUsage(world.registry.db, `project-${project}`))[0];

  async function act(step: Action): Promise<void> {
    const { registry } = world;
    switch (step.do) {
      case 'image': {
        // Others delete at the same time, so that what was pushed may be gone before the manifest comes.
        for (const content of ['{}', ...step.layers])
          await call('POST', `/v2/${step.place}/blobs/uploads/?digest=${digestOf(content)}`, { body: content });
        const body = JSON.stringify(imageManifest('{}', step.layers));
        await call('PUT', `/v2/${step.place}/manifests/${step.tag}`, {
          headers: { 'content-type': OCI_MANIFEST },
          body,
        });
        return;
      }
      case 'index': {
        const child = await call('GET', `/v2/${step.place}/manifests/${step.tag}`);
        if (child.status !== 200) return;
        const manifests = [{ mediaType: OCI_MANIFEST, digest: digestOf(child.body), size: child.body.length }];
        const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
        await call('PUT', `/v2/${step.place}/manifests/index`, { headers: { 'content-type': OCI_INDEX }, body });
        return;
      }
      case 'blob':
        await call('POST', `/v2/${step.place}/blobs/uploads/?digest=${digestOf(step.layer)}`, { body: step.layer });
        return;
      case 'mount':
        await call('POST', `/v2/${step.place}/blobs/uploads/?mount=${digestOf(step.layer)}&from=${step.from}`);
        return;
      case 'untag':
        await call('DELETE', `/v2/${step.place}/manifests/${step.tag}`);
        return;
      case 'delete': {
        const found = await call('HEAD', `/v2/${step.place}/manifests/${step.tag}`);
        const digest = found.headers['docker-content-digest'];
        if (digest !== undefined) await call('DELETE', `/v2/${step.place}/manifests/${String(digest)}`);
        return;
      }
      case 'unlink':
        await call('DELETE', `/v2/${step.place}/blobs/${digestOf(step.layer)}`);
        return;
      case 'collect':
        registry.clock.advance(2 * DAY);
        await collect(world.deps, { mostReviews: 1000 });
        return;
      case 'fold':
        await foldUsage(registry);
    }
  }

  it('is what a recount finds, whatever happened, before and after a fold', { timeout: 240_000 }, async () => {
    const { db } = world.registry;
    let [seen, gone] = [0, 0];
    await fc.assert(
      // The same registry throughout: each run goes on where the one before stopped. Groups of actions happen at once.
      fc.asyncProperty(fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), async (groups) => {
        for (const group of groups) {
          await Promise.all(group.map(act));
          const expected = sorted(await recount(db));
          expect(sorted(await counted(db))).toEqual(expected);
          const bytes = expected.projects.reduce((sum, project) => sum + project.bytes, 0);
          if (bytes < seen) gone += 1;
          seen = bytes;
        }
        await Promise.all([foldUsage({ db }), foldUsage({ db })]);
        expect(await db.selectFrom('usage_changes').selectAll().execute()).toEqual([]);
        expect(sorted(await counted(db))).toEqual(sorted(await recount(db)));
        expect(await totalBytes(db)).toBe(seen);
      }),
      { numRuns: engine === 'sqlite' ? 60 : 25, endOnFailure: true },
    );
    // Otherwise this proves nothing.
    expect(gone).toBeGreaterThan(1);
  });

  it('counts what two repositories share once, and in each of them', async () => {
    const { db } = world.registry;
    await pushBlob(world.registry, 'front/a', 'shared');
    await pushBlob(world.registry, 'front/b', 'shared');
    expect(await usageOf('front')).toMatchObject({ bytes: 6, blobs: 1, manifests: 0 });
    expect((await counted(db)).repositories).toEqual([
      { name: 'front/a', bytes: 6, blobs: 1, manifests: 0 },
      { name: 'front/b', bytes: 6, blobs: 1, manifests: 0 },
    ]);
    await foldUsage(world.registry);
    await call('DELETE', `/v2/front/a/blobs/${digestOf('shared')}`);
    expect(await usageOf('front')).toMatchObject({ bytes: 6 });
    await call('DELETE', `/v2/front/b/blobs/${digestOf('shared')}`);
    expect(await usageOf('front')).toMatchObject({ bytes: 0 });
  });

  it('lets no push wait for another, nor for a fold', async () => {
    const { db } = world.registry;
    await pushImage(world.registry, 'front/a', '1');
    await foldUsage({ db });
    if (engine === 'sqlite') return; // One writer at a time there.
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const folding = db.transaction().execute(async (tx) => {
      await tx.updateTable('project_usage').set({ bytes: 0 }).where('project_id', '=', 'project-front').execute();
      await held;
      throw new Error('rolled back');
    });
    try {
      await pushImage(world.registry, 'front/b', '2');
      await call('DELETE', '/v2/front/b/manifests/2');
    } finally {
      release();
    }
    await expect(folding).rejects.toThrow('rolled back');
    expect(sorted(await counted(db))).toEqual(sorted(await recount(db)));
  });

  it('is read without a change of the database, which would empty every cache', async () => {
    const handle = await freshDatabase(engine);
    try {
      const { db } = handle;
      await db
        .insertInto('projects')
        .values({ id: 'p', name: 'p', public: 0, created_by: '', created_at: 0 })
        .execute();
      await db
        .transaction()
        .execute((tx) => noteArrival(tx, { id: 'r', projectId: 'p' }, { kind: 'blob', digest: 'd', size: 3 }));
      const before = await handle.state();
      expect(await readBytes(db, 'p', { kind: 'blob', digest: 'd' })).toEqual({
        bytes: 3,
        holds: true,
        backlog: false,
      });
      await readUsage(db);
      await readRepositoryUsage(db, 'p', 10);
      await totalBytes(db);
      expect(await handle.state()).toBe(before);
    } finally {
      await handle.close();
    }
  });

  it('is forgotten with the project', async () => {
    const { db, clock } = world.registry;
    const projects = createProjectStore({ ...world.deps, clock, box: createSecretBox(Buffer.alloc(32, 7)) });
    await pushImage(world.registry, 'front/a', '1');
    await foldUsage({ db });
    await pushManifest(world.registry, 'front/a', imageManifest('{"config for":"1"}', []), '2');
    await projects.remove(SYSTEM, 'front', { force: true });
    for (const table of ['usage_changes', 'usage_items', 'project_usage', 'repository_usage'] as const)
      expect(await db.selectFrom(table).selectAll().execute(), table).toEqual([]);
  });
});
