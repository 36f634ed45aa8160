import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { SYSTEM } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import type { Policy } from '../policy/policy.ts';
import { ALPINE, advisoriesOf, DAY, gated, NOW } from '../verdicts/world.testing.ts';
import { createSimulatedWorld, HOST, type SimulatedWorld } from './world.testing.ts';

const FACTS = {
  [`${ALPINE}/musl`]: [{ id: 'CVE-2026-1', fixed: '2-r0', severity: 'high' as const }],
  [`${ALPINE}/zlib`]: [{ id: 'CVE-2026-2', fixed: '2-r0', severity: 'medium' as const }],
};
const layer = (...packages: string[]) => [{ distribution: '3.23.3', packages }];
const open: Policy = { ...gated, block: { fixable: 'off', unfixable: 'off' } };
const withGrace = (high: number): Policy => ({
  ...gated,
  graceDays: { ...gated.graceDays, fixable: { ...gated.graceDays.fixable, high } },
});
const strict: Policy = { ...gated, block: { fixable: 'medium', unfixable: 'medium' } };

describe.each(ENGINES)('simulation on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: SimulatedWorld;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createSimulatedWorld(handle);
    world.state.advisories = advisoriesOf(FACTS);
    await world.setPolicy('front', open);
  });
  afterEach(async () => {
    await world.verdicts.close();
    await handle.close();
  });

  it('names what a policy blocks, by rule and by owner, and what fails at its next pull', async () => {
    const bad = await world.push('front/app', layer('musl@1-r0'), '1');
    const good = await world.push('front/app', layer('musl@2-r0'), '2');
    await world.push('back/app', layer('musl@1-r0'), '1');
    await world.run([
      { image: `${HOST}/front/app:1`, digest: bad.digest },
      { image: `${HOST}/front/app:2`, digest: good.digest },
      // It was started when the tag named something else: the next pull gets what it names now.
      { image: `${HOST}/front/app:1`, digest: good.digest, name: 'moved', namespace: 'lab' },
      { image: `${HOST}/front/app@${good.digest}`, name: 'pinned' },
      { image: 'docker.io/library/nginx', name: 'other' },
    ]);
    const found = await world.simulate({ policy: { owner: 'front', document: gated } });
    expect(found).toMatchObject({
      at: NOW,
      images: { judged: 3, blockedBefore: 0, blockedAfter: 1, blocked: 1, allowed: 0 },
      running: { containers: 5, failing: 2, newlyFailing: 2, recovering: 0 },
      byRule: [{ name: 'severity-fixable', blocked: 1, allowed: 0 }],
      byRepository: [{ name: 'front/app', blocked: 1, allowed: 0 }],
      byNamespace: [
        { name: 'east/lab', blocked: 1, allowed: 0 },
        { name: 'east/shop', blocked: 1, allowed: 0 },
      ],
      changes: [{ repository: 'front/app', digest: bad.digest, before: 'warn', after: 'block' }],
      cut: [],
    });
    expect(found.changes[0]?.why).toMatch(/^blocked: CVE-2026-1 in musl 1-r0/);
    expect(found.fails.map(({ name, fails, already, digest }) => [name, fails, already, digest])).toEqual([
      ['moved', 'pull', false, bad.digest],
      ['app-0', 'pull', false, bad.digest],
    ]);
  });

  it('looks at one project alone when it is asked about one', async () => {
    await world.push('front/app', layer('musl@1-r0'), '1');
    const other = await world.push('back/app', layer('musl@1-r0'), '1');
    await world.run([{ image: `${HOST}/back/app:1`, digest: other.digest }]);
    const found = await world.simulate({
      projectId: 'front',
      policy: { owner: 'front', document: gated },
    });
    expect(found.images).toMatchObject({ judged: 1, blocked: 1 });
    expect(found.running.containers).toBe(0);
    const all = await world.simulate({ policy: { owner: '', document: gated } });
    // A project with a policy of its own does not follow the installation's.
    expect(all.byRepository).toEqual([{ name: 'back/app', blocked: 1, allowed: 0 }]);
    expect(all.running).toMatchObject({ containers: 1, newlyFailing: 1 });
  });

  it('says what an exception releases, and which rule it was that blocked', async () => {
    await world.setPolicy('front', gated);
    const bad = await world.push('front/app', layer('musl@1-r0'), '1');
    await world.run([{ image: `${HOST}/front/app:1`, digest: bad.digest }]);
    const granted = [{ id: 'e1', vulnerability: 'CVE-2026-1', from: NOW, until: NOW + 10 * DAY }];
    const exceptions = { projectId: 'front', granted, revoked: [] };
    const found = await world.simulate({ exceptions, until: NOW + 30 * DAY });
    expect(found).toMatchObject({
      images: { blockedBefore: 1, blockedAfter: 0, allowed: 1 },
      running: { failing: 0, newlyFailing: 0, recovering: 1 },
      byRule: [{ name: 'severity-fixable', blocked: 0, allowed: 1 }],
      fails: [],
      calendar: [
        { at: NOW + 10 * DAY, event: 'exception-ends', subject: 'e1', images: 1, blocked: 1, allowed: 0, running: 1 },
      ],
    });
    world.state.exceptions = granted;
    await world.verdicts.rejudgeProject('front', 'exception');
    const revoked = await world.simulate({ exceptions: { projectId: 'front', granted: [], revoked: ['e1'] } });
    expect(revoked.images).toMatchObject({ blockedBefore: 0, blocked: 1 });
  });

  it('foresees the moment at which grace ends, to the millisecond', async () => {
    const grace = withGrace(7);
    await world.setPolicy('front', grace);
    await world.push('front/app', layer('musl@1-r0'), '1');
    const ends = NOW + 7 * DAY;
    expect((await world.simulate({ until: ends - 1 })).calendar).toEqual([]);
    expect((await world.simulate({ until: ends })).calendar).toMatchObject([
      { at: ends, event: 'grace-ends', subject: 'high', images: 1, blocked: 1, repositories: ['front/app'] },
    ]);
    expect((await world.simulate({ at: ends - 1 })).images.blockedAfter).toBe(0);
    expect((await world.simulate({ at: ends })).images).toMatchObject({ blockedBefore: 0, blockedAfter: 1 });
    world.clock.set(ends);
    expect((await world.simulate({})).images).toMatchObject({ blockedBefore: 1, blockedAfter: 1, blocked: 0 });
  });

  it('says what runs from a source that is retired, and when reviews are due', async () => {
    world.trusted.push(
      { entry: 'docker.io/bitnami', state: 'approved', reviewDue: NOW + 5 * DAY },
      { entry: 'docker.io', state: 'proposed', reviewDue: NOW + 5 * DAY },
      { entry: 'docker.io/bitnami/redis', state: 'approved', reviewDue: NOW + 90 * DAY },
    );
    await world.run([
      { image: 'bitnami/nginx:1', name: 'web' },
      { image: 'bitnami/redis:7', name: 'cache' },
      { image: 'quay.io/x/y', name: 'stranger' },
    ]);
    const found = await world.simulate({ retired: ['docker.io/bitnami'], until: NOW + 30 * DAY });
    expect(found.fails).toMatchObject([{ name: 'web', fails: 'admission', already: false, rules: ['trusted-source'] }]);
    expect(found.running).toMatchObject({ containers: 3, newlyFailing: 1 });
    expect(found.calendar).toEqual([]);
    expect((await world.simulate({ until: NOW + 30 * DAY })).calendar).toMatchObject([
      { at: NOW + 5 * DAY, event: 'trust-review-due', subject: 'docker.io/bitnami', images: 0 },
    ]);
  });

  it('judges with other advisories', async () => {
    await world.setPolicy('front', gated);
    await world.push('front/app', layer('zlib@1-r0'), '1');
    const candidate = advisoriesOf({
      [`${ALPINE}/zlib`]: [{ id: 'CVE-2026-9', fixed: '3-r0', severity: 'critical' }],
    });
    const found = await world.simulate({}, { candidate });
    expect(found.images).toMatchObject({ blockedBefore: 0, blocked: 1 });
    expect(found.changes[0]?.why).toContain('CVE-2026-9');
    expect(found.advisories.after).toBe(candidate.version);
    expect(found.advisories.before).not.toBe(candidate.version);
  });

  it('judges indexes by their platforms', async () => {
    const bad = await world.push('front/app', layer('musl@1-r0'));
    const index = await world.pushIndex('front/app', [bad.digest], 'multi');
    await world.run([{ image: `${HOST}/front/app:multi`, digest: index.digest }]);
    const found = await world.simulate({
      policy: { owner: 'front', document: withGrace(3) },
      until: NOW + 10 * DAY,
    });
    expect(found.images).toMatchObject({ judged: 2, blocked: 0 });
    expect(found.calendar).toMatchObject([
      { at: NOW + 3 * DAY, event: 'grace-ends', images: 2, blocked: 2, running: 1 },
    ]);
    const now = await world.simulate({ policy: { owner: 'front', document: gated } });
    expect(now.changes.map(({ digest }) => digest).sort()).toEqual([bad.digest, index.digest].sort());
    expect(now.byRule).toEqual([{ name: 'severity-fixable', blocked: 2, allowed: 0 }]);
    expect(now.fails).toMatchObject([{ digest: index.digest }]);
  });

  it('takes what was overtaken as it is judged now, and leaves out what was never judged', async () => {
    await world.push('front/app', layer('musl@1-r0'), '1');
    await world.storeImage('front/app', layer('musl@1-r0', 'zlib@1-r0'), '2');
    // Nobody has judged again since this was set.
    await world.policies.set(SYSTEM, { id: 'front', name: 'front' }, gated, { reason: 'a test' });
    const found = await world.simulate({ policy: { owner: 'front', document: open } });
    expect(found.images).toMatchObject({ judged: 1, blockedBefore: 1, blockedAfter: 0, allowed: 1 });
    expect(found.byRule).toEqual([{ name: 'severity-fixable', blocked: 0, allowed: 1 }]);
  });

  it('writes nothing', async () => {
    const bad = await world.push('front/app', layer('musl@1-r0', 'zlib@1-r0'), '1');
    await world.pushIndex('front/app', [bad.digest], 'multi');
    await world.run([{ image: `${HOST}/front/app:1`, digest: bad.digest }]);
    const before = await contentOf(handle);
    const state = await handle.state();
    // New advisories: everything has findings whose clocks do not run yet.
    const candidate = advisoriesOf({ ...FACTS, [`${ALPINE}/zlib`]: [{ id: 'CVE-2026-7', severity: 'critical' }] });
    const found = await world.simulate(
      { policy: { owner: 'front', document: strict }, at: NOW + DAY, until: NOW + 90 * DAY },
      { candidate },
    );
    // SQLite counts its writes.
    if (engine === 'sqlite') expect(await handle.state()).toBe(state);
    expect(found.images.blocked).toBe(2);
    expect(await contentOf(handle)).toEqual(before);
  });
});

/** Every row of every table. */
async function contentOf({ db }: DatabaseHandle): Promise<Readonly<Record<string, string>>> {
  const content: Record<string, string> = {};
  for (const { name } of await db.introspection.getTables()) {
    const { rows } = await sql<object>`select * from ${sql.table(name)}`.execute(db);
    content[name] = rows
      .map((row) => JSON.stringify(row))
      .sort()
      .join('\n');
  }
  return content;
}
