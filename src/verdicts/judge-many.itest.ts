import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { graceOf } from '../policy/judging.testing.ts';
import { ALPINE, advisoriesOf, createWorld, DAY, type Facts, gated, NOW, type World } from './world.testing.ts';

const names = ['musl', 'busybox', 'zlib', 'openssl'] as const;
const distribution = fc.constantFrom('3.23.3', '3.23.4');
const packages = fc.uniqueArray(
  fc.constantFrom(...names.flatMap((name) => [`${name}@1-r0`, `${name}@2-r0`]), 'npm:lodash@4.17.20'),
  { minLength: 1, maxLength: 6 },
);
const image = fc.record({
  repository: fc.constantFrom('front/a', 'front/b', 'back/a'),
  layer: fc.record({ distribution, packages }),
});
const vulnerability = fc.record({
  id: fc.constantFrom('CVE-2024-1', 'CVE-2024-2', 'GHSA-aaaa-bbbb-cccc'),
  severity: fc.constantFrom('low' as const, 'high' as const, 'critical' as const),
  fixed: fc.constantFrom('2-r0', '3-r0'),
});
const facts: fc.Arbitrary<Facts> = fc.dictionary(
  fc.constantFrom(...names.map((name) => `${ALPINE}/${name}`), 'npm/lodash'),
  fc.uniqueArray(vulnerability, { selector: ({ id }) => id, minLength: 1, maxLength: 3 }),
  { minKeys: 2 },
);
const update = fc.record({
  pushed: fc.array(image, { maxLength: 4 }),
  facts,
  days: fc.nat({ max: 8 }),
  excepted: fc.boolean(),
});
type Update = Parameters<Parameters<(typeof update)['map']>[0]>[0];

const grace = { ...gated, graceDays: graceOf({ high: 5, critical: 2 }) };

describe.each(ENGINES)('many judged at once on %s', (engine) => {
  it('come to the verdicts, the changes and the clocks of each judged alone', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(update, { minLength: 2, maxLength: 4 }), async (updates) => {
        const together = await story(updates, async (world) => {
          const { failed } = await world.verdicts.onAdvisoriesChanged('all');
          expect(failed).toBe(0);
        });
        const alone = await story(updates, async (world, subjects) => {
          for (const subject of subjects) await world.verdictOf(subject);
        });
        expect(together).toEqual(alone);
      }),
      { numRuns: engine === 'sqlite' ? 30 : 5 },
    );
  });

  type Subjects = readonly Awaited<ReturnType<World['push']>>[];

  /** What is kept at the end, when each of the updates was followed by `judge`. */
  async function story(updates: readonly Update[], judge: (world: World, subjects: Subjects) => Promise<void>) {
    const handle = await freshDatabase(engine);
    const world = await createWorld(handle);
    try {
      world.state.policies.set('front', { policy: grace, version: 7 });
      const subjects: Awaited<ReturnType<World['push']>>[] = [];
      for (const [at, { pushed, facts: next, days, excepted }] of updates.entries()) {
        for (const { repository, layer } of pushed) subjects.push(await world.push(repository, [layer]));
        world.clock.advance(days * DAY);
        world.state.advisories = advisoriesOf(next, NOW + at);
        world.state.exceptions.length = 0;
        if (excepted)
          world.state.exceptions.push({ id: 'e', vulnerability: 'CVE-2024-1', from: NOW, until: NOW + 9 * DAY });
        await judge(world, subjects);
      }
      const { db } = world;
      const changes = await db
        .selectFrom('verdict_changes')
        .select(['repository', 'digest', 'previous', 'kind', 'document', 'at'])
        .execute();
      return {
        verdicts: await world.verdicts.list({ limit: 100 }),
        changes: changes.map((change) => JSON.stringify(change)).sort(),
        clocks: (await db.selectFrom('clocks').select(['vulnerability', 'package', 'first_seen']).execute())
          .map((clock) => JSON.stringify(clock))
          .sort(),
      };
    } finally {
      await world.verdicts.close();
      await handle.close();
    }
  }
});
