import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { SYSTEM } from '../auth/principal.ts';
import { createSecretBox } from '../auth/secret-box.ts';
import { createLedger } from '../ledger/ledger.ts';
import { graceOf } from '../policy/judging.testing.ts';
import { createProjectStore } from '../projects/project-store.ts';
import { findRepository } from '../registry/content-store.ts';
import { deleteManifest } from '../registry/manifest-writer.ts';
import type { ManifestSubject } from '../registry/ports.ts';
import { ALPINE, advisoriesOf, createWorld, DAY, gated, NOW, type World } from '../verdicts/world.testing.ts';
import { fillFindings, isComplete } from './fill.ts';
import { forgetUnheld } from './forget.ts';
import { groups, listed, recount } from './recount.testing.ts';

const NAMES = ['musl', 'zlib', 'openssl'] as const;
const IDS = ['CVE-2024-1', 'CVE-2024-2', 'CVE-2024-3'] as const;
const REPOSITORIES = ['front/a', 'front/b', 'back/a'] as const;

const packages = fc.uniqueArray(fc.constantFrom(...NAMES.flatMap((name) => [`${name}@1-r0`, `${name}@2-r0`])), {
  minLength: 1,
  maxLength: 4,
});
const vulnerability = fc.record({
  id: fc.constantFrom(...IDS),
  severity: fc.constantFrom('low' as const, 'high' as const, 'critical' as const),
  fixed: fc.constantFrom('2-r0', '3-r0'),
});
const facts = fc.dictionary(
  fc.constantFrom(...NAMES.map((name) => `${ALPINE}/${name}`)),
  fc.uniqueArray(vulnerability, { selector: ({ id }) => id, minLength: 1, maxLength: 3 }),
);
const at = fc.nat({ max: 20 });
const place = fc.constantFrom(...REPOSITORIES);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('push' as const), place, packages }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('index' as const), place, at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('copy' as const), place, packages }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), at }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advisories' as const), facts }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('policy' as const), strict: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('except' as const), id: fc.constantFrom(...IDS) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('vex' as const), id: fc.constantFrom(...IDS) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time' as const), days: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('project' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

const graced = { ...gated, graceDays: graceOf({ high: 5, critical: 2 }) };

describe.each(ENGINES)('the list of findings on %s', (engine) => {
  async function start() {
    const handle = await freshDatabase(engine);
    const state = { notAffected: new Set<string>() };
    const world = await createWorld(handle, {
      vex: {
        mark: async (_place, findings) =>
          findings.map((finding) =>
            state.notAffected.has(finding.id)
              ? { ...finding, vex: { status: 'not_affected', author: 'vendor', document: 'd' } }
              : finding,
          ),
      },
    });
    world.state.policies.set('front', { policy: graced, version: 1 });
    world.state.advisories = advisoriesOf({
      [`${ALPINE}/musl`]: [{ id: IDS[0], severity: 'critical', fixed: '2-r0' }],
    });
    const { db, clock } = world;
    const projects = createProjectStore({
      db,
      clock,
      ledger: createLedger({ db, clock }),
      box: createSecretBox(Buffer.alloc(32, 7)),
    });
    const subjects: ManifestSubject[] = [];
    return { handle, world, state, projects, subjects };
  }
  type Started = Awaited<ReturnType<typeof start>>;

  const layerOf = (own: readonly string[]) => ({ distribution: '3.23.3', packages: [...own] });

  async function act({ world, state, projects, subjects }: Started, step: Action): Promise<void> {
    switch (step.do) {
      case 'push':
      case 'copy':
        // The same packages are the same image, wherever it is pushed.
        subjects.push(await world.push(step.place, [layerOf(step.packages)]));
        return;
      case 'index': {
        const child = subjects[step.at % Math.max(1, subjects.length)];
        if (child) await world.pushIndex(step.place, [child.digest]);
        return;
      }
      case 'delete': {
        const subject = subjects[step.at % Math.max(1, subjects.length)];
        const repository = subject && (await findRepository(world.db, subject.repository));
        if (repository) await deleteManifest(world, repository, subject.digest);
        return;
      }
      case 'advisories':
        world.state.advisories = advisoriesOf(step.facts, world.clock.now());
        await world.verdicts.onAdvisoriesChanged('all');
        return;
      case 'policy': {
        const version = (world.state.policies.get('front')?.version ?? 0) + 1;
        world.state.policies.set('front', { policy: step.strict ? gated : graced, version });
        await world.verdicts.rejudgeProject('front', 'policy');
        return;
      }
      case 'except':
        world.state.exceptions.push({ id: step.id, vulnerability: step.id, from: NOW, until: NOW + 9 * DAY });
        await world.verdicts.rejudgeProject('front', 'exception');
        return;
      case 'vex':
        state.notAffected.add(step.id);
        await world.verdicts.rejudgeAll('vex');
        return;
      case 'time':
        world.clock.advance(step.days * DAY);
        await world.verdicts.rejudgeDue();
        return;
      case 'project':
        await projects.remove(SYSTEM, 'back', { force: true }).catch(() => undefined);
        await world.db
          .insertInto('projects')
          .values({ id: 'back', name: 'back', public: 0, created_by: 'admin', created_at: NOW })
          .execute();
        return;
      case 'forget':
        await forgetUnheld(world.db);
        return;
    }
  }

  async function expectSame(world: Pick<World, 'db'>): Promise<void> {
    const [wanted, found] = [await recount(world.db), await listed(world.db)];
    const withoutTimes = (list: typeof wanted) =>
      Object.fromEntries(
        [...list].map(([key, { statuses, images }]) => [key, { statuses, images: images.toSorted() }]),
      );
    expect(withoutTimes(found)).toEqual(withoutTimes(wanted));
    const { counted, held } = await groups(world.db);
    const counts = (list: typeof counted) => list.map((group) => ({ ...group, newest: 0 }));
    expect(counts(counted)).toEqual(counts(held));
    // A row that was the newest may be gone.
    for (const [at, { newest }] of held.entries()) expect(counted[at]?.newest).toBeGreaterThanOrEqual(newest);
    // An image that is gone may have known it longer.
    for (const [key, row] of wanted) expect(found.get(key)?.firstSeen, key).toBeLessThanOrEqual(row.firstSeen);
    for (const row of found.values()) expect(row.firstSeen).toBeGreaterThanOrEqual(NOW);
  }

  it('says what the verdicts on all that is stored say', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 14 }), async (steps) => {
        const started = await start();
        try {
          for (const step of steps) {
            await act(started, step);
            await expectSame(started.world);
          }
        } finally {
          await started.handle.close();
        }
      }),
      { numRuns: engine === 'sqlite' ? 60 : 12 },
    );
  });

  it('says it as well when all of that happens at once', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 12, maxLength: 24 }), async (steps) => {
        const started = await start();
        const together = steps.filter((step) => step.do !== 'project');
        try {
          for (let first = 0; first < together.length; first += 6)
            await Promise.all(together.slice(first, first + 6).map((step) => act(started, step)));
          await expectSame(started.world);
        } finally {
          await started.handle.close();
        }
      }),
      { numRuns: engine === 'sqlite' ? 20 : 12 },
    );
  });

  it('is filled with the verdicts that were kept before there was one', async () => {
    const { handle, world } = await start();
    try {
      for (let number = 0; number < 60; number += 1)
        await world.push(REPOSITORIES[number % 3] ?? 'front/a', [layerOf(['musl@1-r0', `zlib@${number}`])]);
      const whole = await listed(world.db);
      expect(whole.size).toBe(3);
      for (const table of [
        'image_findings',
        'repository_findings',
        'finding_groups',
        'finding_images',
        'finding_names',
      ] as const)
        await world.db.deleteFrom(table).execute();
      await world.db.deleteFrom('findings').execute();
      await world.db.insertInto('settings').values({ key: 'findings.to-be-filled', value: 'true' }).execute();
      // Some are judged anew before it comes to them.
      await world.push('front/a', [layerOf(['musl@1-r0', 'zlib@7'])]);
      expect(await isComplete(world.db)).toBe(false);
      const stopped = new AbortController();
      stopped.abort();
      expect(await fillFindings(world.db, stopped.signal)).toBe(0);
      expect(await isComplete(world.db)).toBe(false);
      await fillFindings(world.db, new AbortController().signal);
      expect(await isComplete(world.db)).toBe(true);
      await expectSame(world);
    } finally {
      await handle.close();
    }
  });
});
