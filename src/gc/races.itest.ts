import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import { imageManifest, type TestRegistry } from '../registry/testing.ts';
import { type CollectDeps, collect } from './collect.ts';
import { seeded } from './random.testing.ts';
import { HOUR, startGcWorld } from './world.testing.ts';

/** Other chances: `GC_SEED=7 npx vitest run --project integration src/gc/races.itest.ts`. */
const SEED = Number(process.env['GC_SEED'] ?? 1);
const ROUNDS = 12;
const ACTORS = 6;
const STEPS = 12;
const REPOSITORIES = ['front/a', 'front/b', 'back/a'] as const;
const LAYERS = Array.from({ length: 7 }, (_, at) => `layer ${at} `.repeat(50 + at));
const TAGS = ['1', '2', '3'];
type Chances = ReturnType<typeof seeded>;

describe.each(ENGINES)('garbage collection beside everything else, without delay, on %s', (engine) => {
  let registry: TestRegistry;
  let deps: CollectDeps;
  beforeEach(async () => {
    ({ registry, deps } = await startGcWorld(engine));
  });
  afterEach(() => registry.close());

  /** As clients do it: looks first, then mounts or uploads; told "later", it tries again. */
  async function haveBlob(chances: Chances, repository: string, content: string): Promise<void> {
    const digest = digestOf(content);
    if ((await registry.call('HEAD', `/v2/${repository}/blobs/${digest}`)).status === 200) return;
    for (let tries = 0; tries < 20; tries += 1) {
      const way = chances.below(3);
      const uploads = `/v2/${repository}/blobs/uploads/`;
      if (way === 0) {
        const mounted = await registry.call('POST', `${uploads}?mount=${digest}&from=${chances.pick(REPOSITORIES)}`);
        if (mounted.status === 201) return;
        expect(mounted.status, mounted.body.toString()).toBe(202);
        continue;
      }
      const started = way === 1 ? undefined : await registry.call('POST', uploads);
      const reply = started
        ? await registry.call('PUT', `${String(started.headers['location'])}?digest=${digest}`, { body: content })
        : await registry.call('POST', `${uploads}?digest=${digest}`, { body: content });
      if (reply.status === 201) return;
      expect(reply.status, reply.body.toString()).toBe(503);
    }
    throw new Error('twenty tries were not enough');
  }

  async function pushImage(chances: Chances, repository: string, byDigest: boolean): Promise<string> {
    // What may be a child has no tag: somebody who deletes a tagged manifest may delete it, whoever is about to refer to it.
    const config = `{"${byDigest ? 'child' : 'number'}":${chances.below(3)}}`;
    const layers = [chances.pick(LAYERS), chances.pick(LAYERS)];
    for (const content of [config, ...layers]) await haveBlob(chances, repository, content);
    const body = JSON.stringify(imageManifest(config, layers));
    const digest = digestOf(body);
    const there = byDigest && (await registry.call('HEAD', `/v2/${repository}/manifests/${digest}`)).status === 200;
    if (there) return body;
    const reply = await registry.call('PUT', `/v2/${repository}/manifests/${byDigest ? digest : chances.pick(TAGS)}`, {
      headers: { 'content-type': OCI_MANIFEST },
      body,
    });
    expect(reply.status, reply.body.toString()).toBe(201);
    return body;
  }

  async function pushIndex(chances: Chances, repository: string): Promise<void> {
    const child = await pushImage(chances, repository, true);
    const manifests = [{ mediaType: OCI_MANIFEST, digest: digestOf(child), size: child.length }];
    const reply = await registry.call('PUT', `/v2/${repository}/manifests/index-${chances.pick(TAGS)}`, {
      headers: { 'content-type': OCI_INDEX },
      body: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
    });
    expect(reply.status, reply.body.toString()).toBe(201);
  }

  /** Takes tags or whole manifests away; children of an index are deleted with it only. */
  async function takeAway(chances: Chances, repository: string): Promise<void> {
    const tag = `${chances.pick(['', 'index-'])}${chances.pick(TAGS)}`;
    const reply = await registry.call('HEAD', `/v2/${repository}/manifests/${tag}`);
    const digest = String(reply.headers['docker-content-digest']);
    if (reply.status !== 200) return;
    const target = chances.below(2) === 0 ? tag : digest;
    const answer = await registry.call('DELETE', `/v2/${repository}/manifests/${target}`);
    expect([202, 404]).toContain(answer.status);
  }

  async function act(chances: Chances): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      const repository = chances.pick(REPOSITORIES);
      const what = chances.below(5);
      if (what === 0) await pushIndex(chances, repository);
      else if (what < 3) await pushImage(chances, repository, false);
      else await takeAway(chances, repository);
    }
  }

  async function collectWhile(working: () => boolean): Promise<number> {
    let deleted = 0;
    while (working()) {
      const summary = await collect(deps, { mostReviews: 1000 });
      expect(summary.failed).toBe(0);
      deleted += summary.deleted.link + summary.deleted.blob + summary.deleted.manifest;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return deleted;
  }

  async function expectWhole(): Promise<number> {
    const rows = await registry.db
      .selectFrom('manifests as m')
      .innerJoin('repositories as r', 'r.id', 'm.repository_id')
      .innerJoin('manifest_blobs as b', (join) =>
        join.onRef('b.repository_id', '=', 'm.repository_id').onRef('b.manifest_digest', '=', 'm.digest'),
      )
      .select(['r.name', 'b.blob_digest'])
      .distinct()
      .execute();
    for (const { name, blob_digest } of rows) {
      const reply = await registry.call('GET', `/v2/${name}/blobs/${blob_digest}`);
      expect([blob_digest, reply.status, digestOf(reply.body)]).toEqual([blob_digest, 200, blob_digest]);
    }
    return rows.length;
  }

  it(`breaks no promise and loses nothing (seed ${SEED})`, { timeout: 240_000 }, async () => {
    let [deleted, seen] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      let working = true;
      const collectors = [collectWhile(() => working), collectWhile(() => working)];
      const actors = Array.from({ length: ACTORS }, (_, at) => act(seeded(SEED * 1_000_003 + round * 101 + at)));
      await Promise.all(actors).finally(() => {
        working = false;
      });
      for (const count of await Promise.all(collectors)) deleted += count;
      seen += await expectWhole();
      // What was promised in this round may go in the next.
      registry.clock.advance(25 * HOUR);
    }
    // Otherwise this proves nothing.
    expect(deleted).toBeGreaterThan(ROUNDS * 3);
    expect(seen).toBeGreaterThan(ROUNDS * 3);

    for (const { digest, name } of await registry.db
      .selectFrom('manifests as m')
      .innerJoin('repositories as r', 'r.id', 'm.repository_id')
      .select(['m.digest', 'r.name'])
      .execute())
      await registry.call('DELETE', `/v2/${name}/manifests/${digest}`);
    registry.clock.advance(25 * HOUR);
    await collect(deps, { mostReviews: 10_000 });
    registry.clock.advance(25 * HOUR);
    await collect(deps, { mostReviews: 10_000 });
    for (const table of ['gc_reviews', 'repository_blobs', 'manifests', 'blobs'] as const)
      expect(await registry.db.selectFrom(table).selectAll().execute(), table).toEqual([]);
    for (const layer of LAYERS) expect(await registry.blobs.stat(digestOf(layer))).toBeUndefined();
  });
});
