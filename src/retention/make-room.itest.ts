import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { createClusterAuditStore } from '../cluster/audit-store.ts';
import { DAY, type GcWorld, startGcWorld } from '../gc/world.testing.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { silentLogger } from '../platform/logger.ts';
import { pushImage, pushManifest, type TestRegistry } from '../registry/testing.ts';
import { foldUsage } from '../usage/fold.ts';
import { readUsage } from '../usage/usage.ts';
import { makeRoom } from './make-room.ts';
import { createPullTimes } from './pull-times.ts';

describe.each(ENGINES)('a full mirror on %s', (engine) => {
  let world: GcWorld;
  let registry: TestRegistry;
  beforeEach(async () => {
    world = await startGcWorld(engine);
    ({ registry } = world);
  });
  afterEach(() => registry.close());

  /** What was pushed stands for what was pulled through. */
  async function becomeMirror(share: number): Promise<void> {
    await registry.db
      .insertInto('upstreams')
      .values({
        project_id: 'project-hub',
        url: 'https://r.example',
        username: null,
        secret: null,
        freshness_seconds: 1,
      })
      .execute();
    await foldUsage(registry);
    const quota = Math.floor((await used()) * share);
    await registry.db.updateTable('projects').set({ quota }).where('name', '=', 'hub').execute();
  }
  const used = async () => (await readUsage(registry.db, 'project-hub'))[0]?.bytes ?? 0;
  const there = async () =>
    (await registry.db.selectFrom('tags').select('name').orderBy('name').execute()).map(({ name }) => name);
  async function fill(...tags: string[]) {
    const images = [];
    for (const tag of tags) {
      images.push(await pushImage(registry, 'hub/app', tag));
      registry.clock.advance(DAY);
    }
    return images;
  }

  it('gives up what was not pulled for longest, and is below its quota after garbage collection', async () => {
    const [first] = await fill('1', '2', '3', '4');
    const pulls = createPullTimes({ ...world.deps, logger: silentLogger });
    const { id } = await registry.db.selectFrom('repositories').select('id').executeTakeFirstOrThrow();
    pulls.pulled(id, first!.digest);
    await pulls.close();
    registry.clock.advance(DAY);
    await becomeMirror(0.8);
    expect(await makeRoom(world.deps)).toBe(2);
    expect(await there()).toEqual(['1', '4']);
    // What is about to be collected takes no room any more.
    expect(await makeRoom(world.deps)).toBe(0);
    const lines = (await world.deps.ledger.list({ limit: 10 })).filter(({ action }) => action === 'mirror.evict');
    expect(lines).toMatchObject([
      { action: 'mirror.evict', details: { tags: ['2'], reason: 'the quota of the mirror' } },
      { action: 'mirror.evict', details: { tags: ['3'] } },
    ]);
    await world.runLater();
    await foldUsage(registry);
    const { quota } = await registry.db
      .selectFrom('projects')
      .select('quota')
      .where('name', '=', 'hub')
      .executeTakeFirstOrThrow();
    expect(await used()).toBeLessThanOrEqual(quota ?? 0);
  });

  it('keeps what runs, what was used a moment ago, and children that another index lists', async () => {
    const [runs, child] = await fill('runs', 'child');
    const entry = { mediaType: OCI_MANIFEST, digest: child!.digest, size: child!.bytes.length };
    const index = (note: string) => ({ schemaVersion: 2, manifests: [entry], annotations: { note } });
    await pushManifest(registry, 'hub/app', index('old'), 'old');
    registry.clock.advance(DAY);
    await pushManifest(registry, 'hub/app', index('new'), 'new');
    const now = registry.clock.now();
    await createClusterAuditStore(registry).recordAudit({
      cluster: 'prod',
      startedAt: now,
      finishedAt: now,
      objects: 1,
      violations: [],
      incomplete: [],
      running: [{ namespace: 'a', kind: 'Pod', name: 'p', container: 'c', image: 'x', digest: runs!.digest }],
    });
    await becomeMirror(0.1);
    expect(await makeRoom(world.deps)).toBe(1);
    expect(await there()).toEqual(['child', 'new', 'runs']);
    const stored = await registry.db.selectFrom('manifests').select('digest').execute();
    expect(stored.map(({ digest }) => digest)).toContain(child!.digest);
    expect(stored).toHaveLength(3);
  });

  it('does nothing while there is room, or no quota of its own', async () => {
    await fill('1', '2');
    await becomeMirror(1);
    expect(await makeRoom(world.deps)).toBe(0);
    await registry.db.updateTable('projects').set({ quota: null }).where('name', '=', 'hub').execute();
    expect(await makeRoom(world.deps)).toBe(0);
    expect(await there()).toEqual(['1', '2']);
  });
});
