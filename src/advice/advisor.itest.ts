import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import type { ManifestSubject } from '../registry/ports.ts';
import { findSubject } from '../verdicts/subjects.ts';
import { ALPINE, advisoriesOf, createWorld, DAY, type World } from '../verdicts/world.testing.ts';
import { createAdvisor } from './advisor.ts';

const oldBase = { distribution: '3.23.3', packages: ['musl@1.2.5-r0', 'busybox@1.36.1-r28'] };
const newBase = { distribution: '3.23.4', packages: ['musl@1.2.5-r2', 'busybox@1.36.1-r30'] };
const app = { packages: ['npm:lodash@4.17.21'] };
const facts = advisoriesOf({
  [`${ALPINE}/busybox`]: [{ id: 'CVE-2024-1', fixed: '1.36.1-r29', severity: 'high' }],
  [`${ALPINE}/musl`]: [{ id: 'CVE-2024-2', fixed: '1.2.5-r1', severity: 'critical' }],
});
const everything = () => true;

describe.each(ENGINES)('advice on stored images on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;

  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    world.state.advisories = facts;
  });
  afterEach(async () => {
    await world.verdicts.close();
    await handle.close();
  });

  async function plansFor(image: ManifestSubject, mayRead: (project: string) => boolean = everything, days = 90) {
    const { db, state, verdicts } = world;
    const subject = await findSubject(db, image.repositoryId, image.digest);
    if (!subject) throw new Error('it is not stored');
    return createAdvisor({
      db,
      advisories: { current: () => state.advisories },
      verdicts,
      exceptions: { latestEnd: async () => world.clock.now() + days * DAY },
    }).adviseOn(subject, mayRead);
  }

  it('asks for no exception that would be refused for its end', async () => {
    const blocked = await world.push('front/app', [oldBase], '1.0');
    const endsOf = async (days: number) =>
      (await plansFor(blocked, everything, days))[0]?.advice.plans.flatMap(({ parts }) =>
        parts.flatMap((part) => (part.kind === 'exception' ? Date.parse(part.until) + DAY : [])),
      );
    const now = world.clock.now();
    for (const end of (await endsOf(3)) ?? []) expect([end <= now + 3 * DAY, end > now + DAY]).toEqual([true, true]);
    expect(await endsOf(3)).toHaveLength(2);
    expect(await endsOf(0)).toEqual([]);
  });

  it('finds the stored image that another is built on, and the newer one that unblocks it in one change', async () => {
    await world.push('back/base', [oldBase], '3.23');
    const next = await world.push('back/base', [newBase], '3.24');
    const blocked = await world.push('front/app', [oldBase, app], '1.0');
    const [advised] = await plansFor(blocked);
    expect(advised?.advice.plans.map(({ parts }) => parts.map(({ kind }) => kind))).toEqual([
      ['base'],
      ['upgrade', 'upgrade'],
      ['exception', 'exception'],
    ]);
    expect(advised?.advice.plans[0]).toMatchObject({
      after: 'allow',
      parts: [
        {
          from: 'back/base:3.23',
          to: 'back/base:3.24',
          toDigest: next.digest,
          layers: 1,
          judgedBy: 'layers',
          vulnerabilities: ['CVE-2024-1', 'CVE-2024-2'],
        },
      ],
    });
    // What was advised, done.
    const rebuilt = await world.push('front/app', [newBase, app], '1.1');
    expect(await world.verdictOf(rebuilt)).toMatchObject({ kind: 'allow' });
  });

  it('knows the base also where the layers above rewrite the list of packages', async () => {
    await world.push('back/base', [oldBase], '3.23');
    await world.push('back/base', [newBase], '3.24');
    const blocked = await world.push('front/app', [oldBase, { packages: ['curl@8.0-r0'] }, app], '1.0');
    const [advised] = await plansFor(blocked);
    expect(advised?.advice.plans[0]).toMatchObject({
      parts: [{ kind: 'base', to: 'back/base:3.24', judgedBy: 'packages' }],
    });
  });

  it('adds what is left to do on the new base', async () => {
    world.state.advisories = advisoriesOf({
      [`${ALPINE}/busybox`]: [{ id: 'CVE-2024-1', fixed: '1.36.1-r29', severity: 'high' }],
      [`${ALPINE}/musl`]: [{ id: 'CVE-2024-2', fixed: '1.2.5-r1', severity: 'critical' }],
      'npm/lodash': [{ id: 'CVE-2024-3', fixed: '4.17.22', severity: 'high' }],
    });
    await world.push('back/base', [oldBase], '3.23');
    await world.push('back/base', [newBase], '3.24');
    const [advised] = await plansFor(await world.push('front/app', [oldBase, app], '1.0'));
    expect(advised?.advice.plans[0]).toMatchObject({
      parts: [{ kind: 'base' }, { kind: 'upgrade', package: 'lodash', to: '4.17.22' }],
    });
  });

  it('names no image that the asker may not read, that is blocked itself, or that nobody can name', async () => {
    await world.push('back/base', [oldBase], '3.23');
    await world.push('back/base', [newBase], '3.24');
    const blocked = await world.push('front/app', [oldBase, app], '1.0');
    const kinds = async (mayRead?: (project: string) => boolean) =>
      (await plansFor(blocked, mayRead))[0]?.advice.plans.flatMap(({ parts }) => parts.map(({ kind }) => kind));
    expect(await kinds((project) => project === 'front')).not.toContain('base');
    expect(await kinds()).toContain('base');
    await world.db.deleteFrom('tags').where('name', '=', '3.24').execute();
    expect(await kinds()).not.toContain('base');
  });

  it('advises on each image of an index', async () => {
    const one = await world.push('front/app', [oldBase, app]);
    const other = await world.push('front/app', [newBase, app]);
    const index = await world.pushIndex('front/app', [one.digest, other.digest], 'multi');
    const advised = await plansFor(index);
    expect(advised.map(({ platform, advice }) => [platform, advice.plans.length])).toEqual([
      ['linux/cpu0', 2],
      ['linux/cpu1', 0],
    ]);
  });
});
