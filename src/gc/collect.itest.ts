import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { lockRepository } from '../db/repository-lock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { findRepository } from '../registry/content-store.ts';
import { imageManifest, pushBlob, pushImage, pushManifest } from '../registry/testing.ts';
import { collect, lookAhead } from './collect.ts';
import { readStatus } from './status.ts';
import { moveAway, settleWithheld } from './withheld.ts';
import { DAY, type GcWorld, HOUR, startGcWorld } from './world.testing.ts';

describe.each(ENGINES)('garbage collection on %s', (engine) => {
  let world: GcWorld;
  beforeEach(async () => {
    world = await startGcWorld(engine);
  });
  afterEach(() => world.registry.close());

  const status = async (path: string) => (await world.registry.call('GET', `/v2/${path}`)).status;
  const remove = async (path: string) => expect((await world.registry.call('DELETE', `/v2/${path}`)).status).toBe(202);
  const ledger = async () =>
    (await world.deps.ledger.list({ limit: 100 })).map(({ action, target }) => [action, target]);

  it('gives up a blob that no manifest came for, after a day', async () => {
    const digest = await pushBlob(world.registry, 'front/app', 'lonely');
    world.registry.clock.advance(23 * HOUR);
    expect(await world.run()).toMatchObject({ reviewed: 0 });
    expect(await lookAhead(world.deps)).toMatchObject({ reviewed: 0 });
    world.registry.clock.advance(2 * HOUR);
    expect(await lookAhead(world.deps)).toMatchObject({ deleted: { manifest: 0, link: 1, blob: 0 } });
    expect(await status(`front/app/blobs/${digest}`)).toBe(200);
    expect(await world.run()).toMatchObject({ deleted: { link: 1, blob: 1 }, bytes: 6, failed: 0 });
    expect(await status(`front/app/blobs/${digest}`)).toBe(404);
    expect(await world.registry.blobs.stat(digest)).toBeUndefined();
    expect(await ledger()).toEqual([['gc.run', 'installation']]);
    await pushBlob(world.registry, 'front/app', 'lonely');
    expect(await status(`front/app/blobs/${digest}`)).toBe(200);
  });

  it('has one of several finish a move that was broken off, so that none takes what was pushed since', async () => {
    const { registry, deps } = world;
    const digest = await pushBlob(registry, 'front/app', 'lonely');
    const moving = registry.clock.now();
    await deps.db
      .updateTable('blobs')
      .set({ withheld_at: moving, withheld_for: 'unused', moving_until: moving })
      .execute();
    registry.clock.advance(HOUR);
    let moves = 0;
    const blobs = {
      ...deps.blobs,
      async delete(which: typeof digest) {
        moves += 1;
        await sleep(20);
        return registry.blobs.delete(which);
      },
    };
    await Promise.all([1, 2, 3].map(() => settleWithheld({ ...deps, blobs })));
    expect(moves).toBe(1);
    expect(await registry.blobs.stat(digest)).toBeUndefined();
    await pushBlob(registry, 'front/app', 'lonely');
    await moveAway({ ...deps, blobs }, digest, moving);
    expect(moves).toBe(1);
    expect(await status(`front/app/blobs/${digest}`)).toBe(200);
  });

  it('waits for its delay after what referred to something went away', async () => {
    const { digest, layer } = await pushImage(world.registry, 'back/app', '1');
    world.registry.clock.advance(2 * DAY);
    await remove(`back/app/manifests/${digest}`);
    world.registry.clock.advance(DAY - 1);
    await world.run({ delayMs: DAY });
    expect(await status(`back/app/blobs/${layer}`)).toBe(200);
    world.registry.clock.advance(1);
    await world.run({ delayMs: DAY });
    expect(await status(`back/app/blobs/${layer}`)).toBe(404);
    expect(await world.registry.blobs.stat(layer)).toBeDefined();
    world.registry.clock.advance(DAY);
    await world.run({ delayMs: DAY });
    expect(await world.registry.blobs.stat(layer)).toBeUndefined();
  });

  it('keeps a blob that another repository has', async () => {
    const { digest, layer } = await pushImage(world.registry, 'front/app', '1');
    await pushImage(world.registry, 'back/app', '1');
    await remove(`front/app/manifests/${digest}`);
    await world.runLater();
    expect(await status(`front/app/blobs/${layer}`)).toBe(404);
    expect(await status(`back/app/blobs/${layer}`)).toBe(200);
  });

  it('keeps untagged manifests unless the project says otherwise', async () => {
    for (const repository of ['front/app', 'back/app']) {
      const { digest } = await pushImage(world.registry, repository, '1');
      await remove(`${repository}/manifests/1`);
      expect(await status(`${repository}/manifests/${digest}`)).toBe(200);
    }
    const { digest } = await pushImage(world.registry, 'front/moved', '1');
    await pushManifest(world.registry, 'front/moved', imageManifest('{"config for":"1"}', []), '1');
    await world.runLater();
    const gone = digestOf((await pushImage(world.registry, 'front/other', '1')).bytes);
    expect(await status(`front/app/manifests/${gone}`)).toBe(404);
    expect(await status(`back/app/manifests/${gone}`)).toBe(200);
    expect(await status(`front/moved/manifests/${digest}`)).toBe(404);
    expect(await status('front/moved/manifests/1')).toBe(200);
    expect(await ledger()).toEqual(
      expect.arrayContaining([
        ['gc.delete', `front/app@${gone}`],
        ['gc.delete', `front/moved@${digest}`],
      ]),
    );
  });

  it('keeps the children of an index for as long as the index, and blobs that an index lists', async () => {
    const child = await pushImage(world.registry, 'front/app');
    const cache = await pushBlob(world.registry, 'front/app', 'cache');
    const manifests = [
      { mediaType: OCI_MANIFEST, digest: child.digest, size: child.bytes.length },
      { mediaType: OCI_MANIFEST, digest: cache, size: 5 },
    ];
    await pushManifest(world.registry, 'front/app', { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, '1');
    await world.runLater();
    expect(await status(`front/app/manifests/${child.digest}`)).toBe(200);
    expect(await status(`front/app/blobs/${cache}`)).toBe(200);
    await remove('front/app/manifests/1');
    await world.runLater();
    expect(await status(`front/app/manifests/${child.digest}`)).toBe(404);
    expect(await status(`front/app/blobs/${child.layer}`)).toBe(404);
    expect(await status(`front/app/blobs/${cache}`)).toBe(404);
  });

  it('keeps what is about a manifest that is there, and a week longer when it is not', async () => {
    const image = await pushImage(world.registry, 'front/app', '1');
    const subject = { mediaType: OCI_MANIFEST, digest: image.digest, size: image.bytes.length };
    const signature = await pushImage(world.registry, 'front/app', undefined, { subject });
    await world.runLater();
    world.registry.clock.advance(30 * DAY);
    await world.run();
    expect(await status(`front/app/manifests/${signature.digest}`)).toBe(200);
    await remove(`front/app/manifests/${image.digest}`);
    world.registry.clock.advance(7 * DAY - 1);
    await world.run();
    expect(await status(`front/app/manifests/${signature.digest}`)).toBe(200);
    world.registry.clock.advance(1);
    await world.run();
    expect(await status(`front/app/manifests/${signature.digest}`)).toBe(404);
  });

  it('keeps what was seen running in a cluster', async () => {
    const { digest } = await pushImage(world.registry, 'front/app', '1');
    const place = { cluster: 'c', namespace: 'n', kind: 'Pod', name: 'p', container: 'c', image: 'i' };
    const now = world.registry.clock.now();
    await world.registry.db
      .insertInto('running_images')
      .values({ ...place, digest, first_seen: now, last_seen: now })
      .execute();
    await remove('front/app/manifests/1');
    await world.runLater();
    expect(await status(`front/app/manifests/${digest}`)).toBe(200);
    world.registry.clock.advance(31 * DAY);
    await world.run();
    expect(await status(`front/app/manifests/${digest}`)).toBe(404);
  });

  it('lets no manifest go that a pusher was told about a moment ago', async () => {
    const { digest } = await pushImage(world.registry, 'front/app', '1');
    world.registry.clock.advance(30 * DAY);
    await world.run();
    expect((await world.registry.call('HEAD', `/v2/front/app/manifests/${digest}`)).status).toBe(200);
    await remove('front/app/manifests/1');
    await world.run();
    expect(await status(`front/app/manifests/${digest}`)).toBe(200);
    await world.runLater();
    expect(await status(`front/app/manifests/${digest}`)).toBe(404);
  });

  it('does not write for those who only look at what they cannot push, nor twice', async () => {
    const { layer } = await pushImage(world.registry, 'back/app', '1');
    world.registry.clock.advance(DAY);
    const promised = async () => (await world.registry.deps.reads.blob('back/app', layer))?.promisedUntil;
    const before = await promised();
    await world.registry.call('HEAD', `/v2/back/app/blobs/${layer}`, { as: 'reader' });
    expect(await promised()).toBe(before);
    await world.registry.call('HEAD', `/v2/back/app/blobs/${layer}`);
    const first = await promised();
    expect(first).toBe(world.registry.clock.now() + DAY);
    world.registry.clock.advance(11 * HOUR);
    await world.registry.call('HEAD', `/v2/back/app/blobs/${layer}`);
    expect(await promised()).toBe(first);
  });

  it('deletes the content of a project that was deleted', async () => {
    const { layer } = await pushImage(world.registry, 'back/app', '1');
    await world.registry.db.transaction().execute(async (tx) => {
      const { deleteContent } = await import('../projects/content.ts');
      await deleteContent(tx, 'project-back', world.registry.clock.now());
    });
    await world.runLater();
    expect(await world.registry.blobs.stat(layer)).toBeUndefined();
  });

  it('does not let one bad object stop the rest, and tries it again later and later', async () => {
    const [bad, good] = [
      await pushImage(world.registry, 'front/bad', '1'),
      await pushImage(world.registry, 'front/good', '2'),
    ];
    await remove('front/bad/manifests/1');
    await remove('front/good/manifests/2');
    const ledger: Ledger = {
      ...world.deps.ledger,
      append: (tx, note) =>
        note.target.startsWith('front/bad') ? Promise.reject(new Error('no')) : world.deps.ledger.append(tx, note),
    };
    expect(await world.run({ ledger })).toMatchObject({ reviewed: 2, deleted: { manifest: 1 }, failed: 1 });
    expect(await status(`front/good/manifests/${good.digest}`)).toBe(404);
    expect(await status(`front/bad/manifests/${bad.digest}`)).toBe(200);
    for (const wait of [500, 1000, 2000]) {
      expect(await world.run({ ledger })).toMatchObject({ reviewed: 0 });
      world.registry.clock.advance(wait);
      expect(await world.run({ ledger })).toMatchObject({ reviewed: 1, failed: 1 });
    }
    expect((await readStatus(world.deps)).queue.manifest).toMatchObject({ waiting: 1, failing: 1 });
    world.registry.clock.advance(4000);
    expect(await world.run()).toMatchObject({ deleted: { manifest: 1 }, failed: 0 });
  });

  it('tries what storage refused again, and nobody sees the blob meanwhile', async () => {
    const digest = await pushBlob(world.registry, 'back/app', 'stubborn');
    await remove(`back/app/blobs/${digest}`);
    const refusing = { delete: () => Promise.reject(new Error('the disk is read-only')) };
    expect(await world.run({ blobs: refusing })).toMatchObject({ failed: 1 });
    expect(await world.run({ blobs: refusing })).toMatchObject({ reviewed: 0 });
    expect(await world.registry.blobs.stat(digest)).toBeDefined();
    world.registry.clock.advance(61_000);
    await world.run({ blobs: refusing });
    world.registry.clock.advance(61_000);
    await world.run();
    expect(await world.registry.blobs.stat(digest)).toBeUndefined();
    await pushBlob(world.registry, 'back/app', 'stubborn');
    expect(await status(`back/app/blobs/${digest}`)).toBe(200);
  });

  it('tells a push of the very content that is being moved away to come again, and never loses what it acknowledged', async () => {
    const content = 'wanted again';
    const digest = await pushBlob(world.registry, 'back/app', content);
    await remove(`back/app/blobs/${digest}`);
    const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const running = world.run({
      blobs: {
        async delete(one) {
          reached.resolve();
          await goOn.promise;
          return world.registry.blobs.delete(one);
        },
      },
    });
    await reached.promise;
    const pushing = world.registry.call('POST', `/v2/back/app/blobs/uploads/?digest=${digest}`, { body: content });
    await sleep(100);
    goOn.resolve();
    expect(await running).toMatchObject({ deleted: { blob: 1 } });
    const reply = await pushing;
    expect([reply.status, reply.code]).toEqual([503, 'UNAVAILABLE']);
    expect(await status(`back/app/blobs/${digest}`)).toBe(404);
    await pushBlob(world.registry, 'back/app', content);
    expect(await status(`back/app/blobs/${digest}`)).toBe(200);
    await world.run();
    expect(await status(`back/app/blobs/${digest}`)).toBe(200);
  });

  it('waits for a change of the repository that is under way', async () => {
    const digest = await pushBlob(world.registry, 'back/app', 'about to be used');
    world.registry.clock.advance(25 * HOUR);
    const repository = await findRepository(world.registry.db, 'back/app');
    let running: Promise<unknown> = Promise.resolve();
    await world.registry.db.transaction().execute(async (tx) => {
      await lockRepository(tx, repository!.id, 'change');
      running = world.run();
      await sleep(200);
      const reference = { media_type: 'm', size: 1, position: 0, blob_digest: digest, manifest_digest: 'sha256:1' };
      await tx
        .insertInto('manifest_blobs')
        .values({ repository_id: repository!.id, ...reference })
        .execute();
    });
    expect(await running).toMatchObject({ reviewed: 1, deleted: { link: 0 } });
    expect(await status(`back/app/blobs/${digest}`)).toBe(200);
  });

  it('shares the work among several without doing any twice, and stops when told', async () => {
    for (let at = 0; at < 60; at += 1) await pushBlob(world.registry, 'back/app', `blob ${at}`);
    world.registry.clock.advance(DAY + 1);
    const stopped = await collect(world.deps, { mostReviews: 100, signal: AbortSignal.abort() });
    expect(stopped.reviewed).toBe(0);
    const queue = (await readStatus(world.deps)).queue.link;
    expect(queue).toEqual({ waiting: 60, due: 60, overdue: 0, failing: 0 });
    const runs = await Promise.all([world.run(), world.run(), world.run()]);
    expect(runs.reduce((sum, one) => sum + one.deleted.link, 0)).toBe(60);
    expect(runs.reduce((sum, one) => sum + one.deleted.blob, 0)).toBe(60);
  });
});
