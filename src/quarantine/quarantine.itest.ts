import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { type Principal, SYSTEM } from '../auth/principal.ts';
import { createUserStore } from '../auth/user-store.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { verifyChain } from '../ledger/chain.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { defaultPolicy } from '../policy/policy.ts';
import { markStale } from '../verdicts/verdict-store.ts';
import { createWorld, DAY, NOW, scannerAccount, someone, type World } from '../verdicts/world.testing.ts';
import { createQuarantineAnswers } from './answers.ts';
import { type ApplyDeps, applyQuarantine, applyQuarantines } from './apply.ts';
import { createQuarantineStore, type NewQuarantine, type QuarantineStore } from './quarantine-store.ts';
import { reachOf } from './reach.ts';

const person = (name: string): Principal => ({ kind: 'user', id: `id-${name}`, name, admin: true });
const [eva, tom] = [person('eva'), person('tom')];
const robotOfEva: Principal = {
  kind: 'robot',
  id: 'r',
  name: 'robot$ci',
  owner: { id: 'id-eva', name: 'eva', admin: true },
  grants: new Map(),
};
const base = { distribution: '3.23.3', packages: ['musl@1.2.5-r0'] };
const evil = { packages: ['npm:event-stream@3.3.6', 'npm:lodash@4.17.21'] };
const EVENT_STREAM = 'pkg:npm/event-stream@3.3.6';
const because = { reason: 'the release was taken over', ticket: 'INC-42' };

describe.each(ENGINES)('quarantine on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;
  let ledger: Ledger;
  let store: QuarantineStore;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    ledger = createLedger({ db: handle.db, clock: world.clock });
    store = createQuarantineStore({ db: handle.db, clock: world.clock, ledger });
  });
  afterEach(async () => {
    await world.verdicts.close();
    await handle.close();
  });

  const applyDeps = (): ApplyDeps => ({
    db: handle.db,
    quarantines: store,
    rejudge: (manifests) => world.verdicts.onQuarantineChanged(manifests),
  });
  async function add(target: string, more: Partial<NewQuarantine> = {}) {
    const added = await store.add(eva, { target, ...because, ...more });
    return { ...added, verdicts: await applyQuarantine(applyDeps(), added) };
  }
  async function release(id: string) {
    await store.release(eva, id, 'it was a mistake');
    await applyQuarantine(applyDeps(), await store.release(tom, id, 'agreed'));
  }

  it('stops an image by its digest everywhere, for everybody, and again not when two people agreed', async () => {
    const front = await world.push('front/app', [base], '1');
    const back = await world.push('back/app', [base], '1');
    expect(await world.pull(back)).toMatchObject({ kind: 'serve' });
    world.state.exceptions = [{ id: 'e', vulnerability: 'CVE-1', from: NOW, until: NOW + DAY }];

    const { id, verdicts } = await add(front.digest);
    expect(verdicts).toMatchObject({ judged: 2, blocked: 2 });
    for (const subject of [front, back])
      for (const caller of [someone, scannerAccount])
        expect(await world.pull(subject, caller)).toMatchObject({
          kind: 'refuse',
          code: 'PROJECTPOLICYVIOLATION',
          message: expect.stringMatching(
            /cannot be pulled: quarantined since .*\(INC-42\): the release was taken over/,
          ),
        });
    expect(world.state.ledger).toEqual([]);
    expect((await world.verdictOf(back))?.reasons[0]).toMatchObject({ rule: 'quarantine', kind: 'block' });
    const [change] = await world.verdicts.history({ repository: 'back/app', limit: 1 });
    expect(change).toMatchObject({ cause: 'quarantine', previous: 'warn', kind: 'block' });

    await release(id);
    for (const subject of [front, back]) expect(await world.pull(subject)).toMatchObject({ kind: 'serve' });
    expect(await store.list({ released: false })).toEqual([]);
    expect(await store.list({ released: true })).toMatchObject([{ id, state: 'released', releasedBy: 'tom' }]);
  });

  it('takes another person, also when accounts of one were taken apart since the release was asked for', async () => {
    const users = createUserStore({ db: handle.db, clock: world.clock, ledger });
    for (const name of ['eva', 'eva.admin'])
      await users.create(SYSTEM, { name, password: 'a long enough password', admin: true });
    await users.link(SYSTEM, 'eva.admin', 'eva');
    const { id } = await add(EVENT_STREAM);
    await store.release(eva, id, 'it was a mistake');
    const second = person('eva.admin');
    await expect(store.release(second, id, 'yes')).rejects.toMatchObject({ code: 'four_eyes' });
    for (const by of [eva, second])
      await expect(users.unlink(by, 'eva.admin')).rejects.toMatchObject({ code: 'denied' });
    world.clock.advance(1000);
    await users.unlink(tom, 'eva.admin');
    await expect(store.release(second, id, 'yes')).rejects.toMatchObject({ code: 'four_eyes' });
    expect(await store.release(tom, id, 'yes')).toMatchObject({ state: 'released' });
  });

  it('is taken up by the next start when a server was stopped before the verdicts followed', async () => {
    const subject = await world.push('back/app', [base, evil]);
    const { id } = await store.add(eva, { target: EVENT_STREAM, ...because });
    expect(await store.unapplied()).toMatchObject([{ id }]);
    await applyQuarantines(applyDeps());
    expect(await store.unapplied()).toEqual([]);
    expect(await world.pull(subject)).toMatchObject({ kind: 'refuse' });
  });

  it('holds at the gate as soon as the verdicts are marked, before any is judged again', async () => {
    const subject = await world.push('back/app', [base, evil]);
    await store.add(eva, { target: EVENT_STREAM, ...because });
    await markStale(handle.db, 'quarantine', { digests: [subject.digest] });
    expect(await world.pull(subject, scannerAccount)).toMatchObject({ kind: 'refuse' });
  });

  it('stops a version of a package in whatever image holds it, and what is pushed with it later', async () => {
    const before = await world.push('back/app', [base, evil], '1');
    const clean = await world.push('back/clean', [base, { packages: ['npm:event-stream@4.0.1'] }], '1');
    await add(EVENT_STREAM);
    expect(await world.pull(before, scannerAccount)).toMatchObject({
      kind: 'refuse',
      message: expect.stringContaining('event-stream 3.3.6 in it is quarantined since'),
    });
    expect(await world.pull(clean)).toMatchObject({ kind: 'serve' });
    const after = await world.push('back/later', [evil], '1');
    expect(after.warnings[0]).toContain('event-stream 3.3.6 in it is quarantined');
    expect(await world.pull(after)).toMatchObject({ kind: 'refuse' });
  });

  it('stops a range of versions', async () => {
    const inside = await world.push('back/a', [{ packages: ['npm:event-stream@3.3.6'] }]);
    const outside = await world.push('back/b', [{ packages: ['npm:event-stream@3.3.7'] }]);
    await add('pkg:npm/event-stream', { versions: '>= 3.3.0, < 3.3.7' });
    expect(await world.pull(inside)).toMatchObject({ kind: 'refuse' });
    expect(await world.pull(outside)).toMatchObject({ kind: 'serve' });
  });

  it('stops every image with a layer', async () => {
    const subject = await world.push('back/app', [base, evil]);
    const other = await world.push('back/other', [base]);
    const { blob_digest } = await handle.db
      .selectFrom('manifest_blobs')
      .select('blob_digest')
      .where('manifest_digest', '=', subject.digest)
      .where('position', '=', 2)
      .executeTakeFirstOrThrow();
    await add(blob_digest);
    expect(await world.pull(subject)).toMatchObject({ kind: 'refuse' });
    expect(await world.pull(other)).toMatchObject({ kind: 'serve' });
  });

  it('stops one platform of an index, and the index when it has no other; the index by its own digest too', async () => {
    const bad = await world.push('back/app', [base, evil]);
    const good = await world.push('back/app', [base]);
    const index = await world.pushIndex('back/app', [bad.digest, good.digest], '1');
    const alone = await world.pushIndex('back/app', [bad.digest], '2');
    const { id } = await add(EVENT_STREAM);
    expect(await world.pull(index)).toMatchObject({ kind: 'serve' });
    expect(await world.pull(bad)).toMatchObject({ kind: 'refuse' });
    expect(await world.pull(good)).toMatchObject({ kind: 'serve' });
    expect(await world.pull(alone, scannerAccount)).toMatchObject({ kind: 'refuse' });
    await release(id);
    expect(await world.pull(alone)).toMatchObject({ kind: 'serve' });
    await add(index.digest);
    expect(await world.pull(index)).toMatchObject({ kind: 'refuse' });
    expect(await world.pull(good)).toMatchObject({ kind: 'serve' });
  });

  it('stops an artifact that nothing runs', async () => {
    const chart = await world.pushArtifact('back/chart');
    await add(chart.digest);
    expect(await world.pull(chart)).toMatchObject({ kind: 'refuse' });
  });

  it('is not evaded by an image that nobody looked into, whatever the project accepts', async () => {
    world.state.policies.set('back', { policy: { ...defaultPolicy, unscanned: 'ignore' }, version: 3 });
    const unseen = await world.storeImage('back/unseen', [base, evil]);
    expect(await world.pull(unseen)).toMatchObject({ kind: 'serve' });
    const { id } = await add(unseen.digest);
    expect(await world.pull(unseen, scannerAccount)).toMatchObject({ kind: 'refuse' });
    await release(id);
    await add(EVENT_STREAM);
    const other = await world.storeImage('back/other', [{ packages: ['npm:event-stream@3.3.6'] }]);
    expect(await world.pull(other, scannerAccount)).toMatchObject({
      kind: 'refuse',
      message: expect.stringContaining('event-stream 3.3.6'),
    });
  });

  it('reaches an image that was being judged for the first time when it came', async () => {
    const answers = createQuarantineAnswers({ db: handle.db, state: handle.state });
    let once = true;
    world.restart({
      quarantines: {
        ...answers,
        async hitsOf(manifests) {
          const hits = await answers.hitsOf(manifests);
          // After the look, before the verdict is written: it could not be marked, it is not there.
          if (once) {
            once = false;
            await add(EVENT_STREAM);
          }
          return hits;
        },
      },
    });
    const subject = await world.push('back/app', [evil]);
    expect((await world.verdictOf(subject))?.kind).toBe('block');
    expect(subject.warnings[0]).toContain('quarantined');
  });

  it('says what it stops', async () => {
    const subject = await world.push('back/app', [base, evil], '1');
    const index = await world.pushIndex('back/app', [subject.digest], '2');
    const { id } = await add(EVENT_STREAM);
    const reach = await reachOf(handle.db, await store.get(id));
    expect(reach).toMatchObject({ imageCount: 2, runningCount: 0, running: [] });
    expect(reach.images).toContainEqual({ repository: 'back/app', digest: subject.digest, tags: ['1'] });
    expect(reach.images).toContainEqual({ repository: 'back/app', digest: index.digest, tags: ['2'] });
  });

  it('takes two people to release, and a robot of one of them is none', async () => {
    const { id } = await add(EVENT_STREAM);
    await expect(store.keep(tom, id, 'no')).rejects.toMatchObject({ code: 'quarantine_state' });
    expect(await store.release(robotOfEva, id, 'please')).toMatchObject({
      state: 'release-asked',
      releaseAskedBy: 'robot$ci',
    });
    for (const by of [eva, robotOfEva])
      await expect(store.release(by, id, 'me again')).rejects.toMatchObject({ code: 'four_eyes' });
    expect(await store.keep(tom, id, 'not yet')).toMatchObject({ state: 'active' });
    await store.release(eva, id, 'now');
    const outcomes = await Promise.allSettled([store.release(tom, id, 'yes'), store.release(person('ada'), id, 'yes')]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(store.release(tom, id, 'x')).rejects.toMatchObject({ code: 'quarantine_state' });
    const lines = await ledger.list({ limit: 20 });
    expect(lines.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'eva quarantine.add',
      'robot$ci quarantine.ask-release',
      'tom quarantine.keep',
      'eva quarantine.ask-release',
      expect.stringMatching(/^(tom|ada) quarantine\.release$/),
    ]);
    expect(verifyChain(lines)).toBeUndefined();
    const told = await handle.db.selectFrom('outbox').select('data').where('type', '=', 'QUARANTINED').execute();
    expect(told.map(({ data }) => (JSON.parse(data) as { state: string }).state)).toEqual([
      'added',
      'release-requested',
      'release-requested',
      'released',
    ]);
  });

  it('is refused without reason or ticket, twice, and when unknown; nothing is kept then', async () => {
    for (const bad of [{ reason: ' ' }, { ticket: '' }, { ticket: 'a\nb' }, { target: 'front/app:1' }])
      await expect(add(EVENT_STREAM, bad)).rejects.toMatchObject({ code: 'quarantine_invalid' });
    expect(await store.list({ released: true })).toEqual([]);
    const both = await Promise.allSettled([add(EVENT_STREAM), add(EVENT_STREAM)]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(add(EVENT_STREAM)).rejects.toMatchObject({ code: 'quarantine_exists' });
    await expect(store.release(eva, 'nothing', 'x')).rejects.toMatchObject({ code: 'quarantine_unknown' });
  });
});
