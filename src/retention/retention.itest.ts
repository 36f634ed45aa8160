import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { SYSTEM } from '../auth/principal.ts';
import { createClusterAuditStore } from '../cluster/audit-store.ts';
import { DAY, type GcWorld, HOUR, startGcWorld } from '../gc/world.testing.ts';
import type { Digest } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { silentLogger } from '../platform/logger.ts';
import { parseRule, type RetentionRule } from '../policy/retention.ts';
import { tagSelectionSchema } from '../policy/tag-selection.ts';
import { imageManifest, pushBlob, pushImage, pushManifest, type TestRegistry } from '../registry/testing.ts';
import { createPullTimes, pullsSince } from './pull-times.ts';
import { createRetention, type Retention } from './retention.ts';

const FRONT = { id: 'project-front', name: 'front' };
const rules = (...texts: string[]) => texts.map((text) => parseRule(text) as RetentionRule);

describe.each(ENGINES)('retention on %s', (engine) => {
  let world: GcWorld;
  let registry: TestRegistry;
  let retention: Retention;
  beforeEach(async () => {
    world = await startGcWorld(engine);
    ({ registry } = world);
    retention = createRetention({ ...world.deps, logger: silentLogger });
    await pullTimes().start();
  });
  afterEach(() => registry.close());

  const pullTimes = () => createPullTimes({ ...world.deps, logger: silentLogger });
  const tagsOf = async (repository: string) => {
    const reply = await registry.call('GET', `/v2/${repository}/tags/list`);
    return reply.status === 404 ? [] : (JSON.parse(reply.body.toString()) as { tags: string[] }).tags;
  };
  const dump = () =>
    Promise.all(
      (['tags', 'gc_reviews', 'ledger', 'retention_runs', 'usage_changes'] as const).map((table) =>
        registry.db.selectFrom(table).selectAll().execute(),
      ),
    );
  const set = (...texts: string[]) => retention.setRules(SYSTEM, FRONT, rules(...texts));
  async function pushAll(repository: string, ...tags: string[]): Promise<Digest[]> {
    const digests: Digest[] = [];
    for (const tag of tags) {
      digests.push((await pushImage(registry, repository, tag)).digest);
      registry.clock.advance(DAY);
    }
    return digests;
  }
  async function audit(...running: { image: string; digest?: Digest }[]): Promise<void> {
    const now = registry.clock.now();
    await createClusterAuditStore(registry).recordAudit({
      cluster: 'prod',
      startedAt: now,
      finishedAt: now,
      objects: running.length,
      violations: [],
      incomplete: [],
      running: running.map((one, at) => ({
        namespace: 'shop',
        kind: 'Deployment',
        name: `d${at}`,
        container: 'c',
        ...one,
      })),
    });
  }

  it('takes away what no rule keeps, writes down why, and leaves the manifests to garbage collection', async () => {
    const [first] = await pushAll('front/app', '1', '2', '3');
    await pushAll('back/app', '1');
    await set('latest-pushed 2');
    const outcome = await retention.run(SYSTEM, FRONT);
    expect(outcome).toMatchObject({ examined: 3, removed: 1 });
    expect([await tagsOf('front/app'), await tagsOf('back/app')]).toEqual([['2', '3'], ['1']]);
    const lines = await world.deps.ledger.list({ limit: 10, target: 'front/app:1' });
    expect(lines).toMatchObject([
      {
        actor: 'system',
        action: 'retention.remove',
        details: { digest: first, reason: 'latest-pushed 2: 2 others were pushed later' },
      },
    ]);
    expect(await retention.history(FRONT)).toMatchObject([
      { actor: 'system', rules: ['latest-pushed 2'], examined: 3, removed: 1 },
    ]);
    expect((await registry.call('GET', `/v2/front/app/manifests/${first}`)).status).toBe(200);
    await world.runLater();
    expect((await registry.call('GET', `/v2/front/app/manifests/${first}`)).status).toBe(404);
  });

  it('only looks when it is asked to, and writes nothing', async () => {
    await pushAll('front/app', '1', '2');
    await set('latest-pushed 1');
    const before = await dump();
    expect(await retention.lookAhead(FRONT)).toMatchObject({
      removed: 1,
      tags: [
        { kind: 'remove', repository: 'front/app', tag: '1' },
        { kind: 'keep', tag: '2', because: 'latest-pushed 1' },
      ],
    });
    expect(await retention.lookAhead(FRONT, rules('always of 1'))).toMatchObject({
      tags: [{ tag: '2' }, { tag: '1' }],
    });
    expect(await dump()).toEqual(before);
  });

  it('keeps what runs: by digest, within an index, and by the tag it was started with', async () => {
    const [plain] = await pushAll('front/app', 'plain');
    const child = await pushImage(registry, 'front/app', 'child');
    const manifests = [{ mediaType: OCI_MANIFEST, digest: child.digest, size: child.bytes.length }];
    await pushManifest(registry, 'front/app', { schemaVersion: 2, manifests }, 'index');
    await pushAll('front/app', 'named', 'idle');
    await audit(
      { image: `registry.example/front/app@${plain}` },
      { image: 'registry.example/front/app:x', digest: child.digest },
      { image: 'registry.example/front/app:named' },
    );
    await set('always of none');
    // An audit that does not come any more takes nothing's protection away.
    registry.clock.advance(100 * DAY);
    const { tags } = await retention.run(SYSTEM, FRONT);
    expect(await tagsOf('front/app')).toEqual(['child', 'index', 'named', 'plain']);
    expect(tags.find(({ tag }) => tag === 'index')?.because).toBe('runs: Deployment shop/d1 of cluster prod');
    // Once an audit says that it runs no more, it goes.
    await audit();
    registry.clock.advance(31 * DAY);
    await retention.run(SYSTEM, FRONT);
    expect(await tagsOf('front/app')).toEqual([]);
  });

  it('keeps immutable tags, and what is about an image that is here', async () => {
    const immutable = JSON.stringify([tagSelectionSchema.parse({ tags: ['v*'] })]);
    await registry.db.updateTable('projects').set({ immutable_tags: immutable }).where('name', '=', 'front').execute();
    const [v1] = await pushAll('front/app', 'v1', 'old');
    const signature = `${String(v1).replace(':', '-')}.sig`;
    const stray = `sha256-${'0'.repeat(64)}.sig`;
    await pushAll('front/app', signature, stray);
    await pushBlob(registry, 'front/app', '{}');
    const about = { mediaType: OCI_MANIFEST, digest: v1, size: 1 };
    await pushManifest(registry, 'front/app', imageManifest('{}', [], { subject: about }), 'sbom');
    await set('always of none');
    await retention.run(SYSTEM, FRONT);
    expect(await tagsOf('front/app')).toEqual(['sbom', signature, 'v1']);
  });

  it('knows when something was pulled, also by digest within an index, and takes a push for a pull', async () => {
    const [pulled] = await pushAll('front/app', 'pulled', 'idle');
    const child = await pushImage(registry, 'front/app', 'child');
    await pushManifest(
      registry,
      'front/app',
      { schemaVersion: 2, manifests: [{ mediaType: OCI_MANIFEST, digest: child.digest, size: child.bytes.length }] },
      'index',
    );
    await set('pulled-within 30');
    registry.clock.advance(28 * DAY);
    expect((await retention.run(SYSTEM, FRONT)).removed).toBe(0);
    const times = pullTimes();
    const repository = await registry.db.selectFrom('repositories').select('id').executeTakeFirstOrThrow();
    for (const digest of [pulled, child.digest]) times.pulled(repository.id, digest as Digest);
    await times.close();
    registry.clock.advance(5 * DAY);
    expect((await retention.run(SYSTEM, FRONT)).removed).toBe(1);
    expect(await tagsOf('front/app')).toEqual(['child', 'index', 'pulled']);
    registry.clock.advance(31 * DAY);
    await retention.run(SYSTEM, FRONT);
    expect(await tagsOf('front/app')).toEqual([]);
  });

  it('does not take a tag for unused that was there before pulls were noted', async () => {
    await registry.db.deleteFrom('settings').where('key', '=', 'pulls.since').execute();
    await pushAll('front/app', 'old');
    registry.clock.advance(400 * DAY);
    await set('pulled-within 30');
    expect((await retention.lookAhead(FRONT)).removed).toBe(0);
    await pullTimes().start();
    expect(await pullsSince(registry.db, 0)).toBe(registry.clock.now());
    registry.clock.advance(29 * DAY);
    expect((await retention.lookAhead(FRONT)).removed).toBe(0);
    registry.clock.advance(2 * DAY);
    expect((await retention.lookAhead(FRONT)).removed).toBe(1);
  });

  it('leaves rules alone for a day after they were changed, when it runs by itself', async () => {
    await pushAll('front/app', '1', '2');
    await set('latest-pushed 1');
    await retention.runAll();
    expect(await tagsOf('front/app')).toEqual(['1', '2']);
    registry.clock.advance(DAY);
    await retention.runAll();
    expect(await tagsOf('front/app')).toEqual(['2']);
    await set();
    expect(await retention.rules(FRONT)).toMatchObject({ rules: [], changed: { by: 'system' } });
    registry.clock.advance(2 * DAY);
    await retention.runAll();
    expect(await retention.history(FRONT)).toHaveLength(1);
  });

  it('stops at rules that it cannot read, and goes on with other projects', async () => {
    await pushAll('front/app', '1', '2');
    await pushAll('back/app', '1', '2');
    for (const project of [FRONT, { id: 'project-back', name: 'back' }])
      await retention.setRules(SYSTEM, project, rules('latest-pushed 1'));
    await registry.db
      .updateTable('retention_rules')
      .set({ rules: '[{"keep":"newest"}]' })
      .where('project_id', '=', 'project-front')
      .execute();
    registry.clock.advance(2 * DAY);
    await expect(retention.runAll()).rejects.toThrow('of 1 of 2 projects failed');
    expect([await tagsOf('front/app'), await tagsOf('back/app')]).toEqual([['1', '2'], ['2']]);
  });

  it('takes no rules for a mirror, nor applies those from before it was one', async () => {
    await registry.db
      .insertInto('upstreams')
      .values({ project_id: FRONT.id, url: 'https://r.example', username: null, secret: null, freshness_seconds: 1 })
      .execute();
    await expect(set('always')).rejects.toMatchObject({ code: 'retention_invalid' });
    await pushAll('front/app', '1', '2');
    await registry.db
      .insertInto('retention_rules')
      .values({ project_id: FRONT.id, rules: JSON.stringify(rules('latest-pushed 1')), changed_by: 'a', changed_at: 0 })
      .execute();
    await retention.runAll();
    expect(await tagsOf('front/app')).toEqual(['1', '2']);
  });

  it('does exactly what it said it would do at that moment, and takes away nothing that runs', {
    timeout: 240_000,
  }, async () => {
    const tag = fc.constantFrom('v1', 'v2', 'v3', 'v1-rc', 'latest', 'main');
    const rule = fc.constantFrom(
      'latest-pushed 1',
      'latest-pushed 2 of v*',
      'latest-pulled 1 in team/**',
      'pushed-within 3',
      'pulled-within 2 of *,!main',
      'always of latest in app',
    );
    const step = fc.record({
      repository: fc.constantFrom('front/app', 'front/team/a'),
      tag,
      runs: fc.boolean(),
      pull: fc.boolean(),
    });
    let went = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.uniqueArray(rule, { minLength: 1, maxLength: 3 }),
        async (steps, texts) => {
          const times = pullTimes();
          const running: { image: string; digest: Digest }[] = [];
          for (const { repository, tag, runs, pull } of steps) {
            const { digest } = await pushImage(registry, repository, tag);
            const { id } = await registry.db
              .selectFrom('repositories')
              .select('id')
              .where('name', '=', repository)
              .executeTakeFirstOrThrow();
            if (pull) times.pulled(id, digest);
            if (runs) running.push({ image: `r.example/elsewhere@${digest}`, digest });
            registry.clock.advance(20 * HOUR);
          }
          await times.close();
          await audit(...running);
          await set(...texts);
          const said = await retention.lookAhead(FRONT);
          const did = await retention.run(SYSTEM, FRONT);
          expect(did).toEqual(said);
          const left = await registry.db.selectFrom('tags').select(['name', 'digest']).execute();
          const gone = did.tags.filter(({ kind }) => kind === 'remove');
          went += gone.length;
          expect(left).toHaveLength(did.examined - gone.length);
          for (const { digest } of running)
            expect(
              gone.map((one) => one.digest),
              'runs',
            ).not.toContain(digest);
          for (const { repository, tag } of gone) expect(await tagsOf(repository)).not.toContain(tag);
          registry.clock.advance(32 * DAY);
          await audit();
        },
      ),
      { numRuns: engine === 'sqlite' ? 40 : 15, endOnFailure: true },
    );
    // Otherwise this proves nothing.
    expect(went).toBeGreaterThan(3);
  });
});
