import { describe, expect, it } from 'vitest';
import { freshDatabase } from '../../test/support/engines.ts';
import type { Apart } from './apart.ts';
import { computeAgain, createManyMemory } from './judge-many.ts';
import type { Sources } from './sources.ts';
import { ALPINE, advisoriesOf, createWorld, NOW } from './world.testing.ts';

/** Enough for a process of its own, and a page that is not full. */
const IMAGES = 260;
const NAMES = ['musl', 'busybox', 'zlib', 'openssl'];
const facts = (...ids: readonly string[]) =>
  Object.fromEntries(
    NAMES.map((name) => [`${ALPINE}/${name}`, ids.map((id) => ({ id, severity: 'high' as const, fixed: '2-r0' }))]),
  );

/** What becomes of parts that are computed elsewhere. */
type Trouble = (part: number) => 'none' | 'fails' | 'outdated';

describe('a long judging', () => {
  it('computes elsewhere where it can, and comes to the same as here', async () => {
    const here = await story();
    expect(here.computed).toBe(0);
    const elsewhere = await story(() => 'none');
    expect(elsewhere.computed).toBe(2 * Math.ceil(IMAGES / 50));
    expect(elsewhere.kept).toEqual(here.kept);
  });

  it.each([1, 2, 3, 6])('computes the rest itself when the process is lost in part %i', async (lost) => {
    const troubled = await story((part) => (part === lost ? 'fails' : 'none'));
    expect(troubled.kept).toEqual((await story()).kept);
    // In each of the two judgings.
    expect(troubled.computed).toBe(2 * lost);
  });

  it('writes nothing that rests on what has changed meanwhile', async () => {
    const troubled = await story((part) => (part % 2 === 0 ? 'outdated' : 'none'));
    expect(troubled.kept).toEqual((await story()).kept);
    expect(troubled.forgotten).toBe(6);
  });

  it('has several at work where the images lie in many repositories', async () => {
    const here = await story(undefined, IMAGES, 26);
    const elsewhere = await story(() => 'none', IMAGES, 26);
    expect(elsewhere.processes).toEqual(new Set([0, 1]));
    expect(elsewhere.kept).toEqual(here.kept);
    const troubled = await story((part) => (part === 2 ? 'fails' : 'none'), IMAGES, 26);
    expect(troubled.kept).toEqual(here.kept);
  });

  it('keeps a process of its own for what is long', async () => {
    expect((await story(() => 'none', 150)).computed).toBe(0);
  });

  async function story(trouble?: Trouble, images = IMAGES, repositories = 3) {
    const handle = await freshDatabase('sqlite');
    const seen = { computed: 0, forgotten: 0, processes: new Set<number>() };
    // The world is made with what computes for it.
    const held: { sources?: Sources } = {};
    const world = await createWorld(handle, trouble ? { apart: elsewhere(held, seen, trouble) } : {});
    const { state, clock, verdicts } = world;
    held.sources = {
      db: handle.db,
      clock,
      advisories: { current: () => state.advisories },
      policies: { effectivePolicy: async (id) => state.policies.get(id) ?? Promise.reject(new Error(id)) },
      exceptions: { granted: async () => [] },
      vex: { mark: async (_place, findings) => findings },
      quarantines: {
        revision: async () => '',
        concernsPackages: async () => false,
        hitsOf: async () => new Map(),
      },
    };
    try {
      state.advisories = advisoriesOf(facts('CVE-2024-1'), NOW);
      for (let at = 0; at < images; at += 1) {
        const packages = NAMES.map((name, nth) => `${name}@${(at >> nth) % 2 === 0 ? '1-r0' : '2-r0'}`);
        await world.push(`front/app-${at % repositories}`, [
          { distribution: '3.23.3', packages: [...packages, `own-${at}@1`] },
        ]);
      }
      for (const ids of [['CVE-2024-1', 'CVE-2024-2'], ['CVE-2024-2']]) {
        clock.advance(1000);
        state.advisories = advisoriesOf(facts(...ids), clock.now());
        const { judged, failed } = await verdicts.onAdvisoriesChanged('all');
        expect([judged, failed]).toEqual([images, 0]);
      }
      return { ...seen, kept: await keptIn(handle) };
    } finally {
      await verdicts.close();
      await handle.close();
    }
  }
});

function elsewhere(
  held: { readonly sources?: Sources },
  seen: { computed: number; forgotten: number; processes: Set<number> },
  trouble: Trouble,
): Apart {
  return {
    processes: 2,
    begin(cause, process) {
      let memory = createManyMemory();
      let part = 0;
      return {
        async compute(subjects) {
          if (!held.sources) throw new Error('the world is not made yet');
          part += 1;
          seen.computed += 1;
          seen.processes.add(process);
          const what = trouble(part);
          if (what === 'fails') throw new Error('it is gone');
          const computed = await computeAgain(held.sources, subjects, cause, memory);
          return what === 'outdated' ? { ...computed, holds: () => false } : computed;
        },
        forget() {
          seen.forgotten += 1;
          memory = createManyMemory();
        },
      };
    },
  };
}

async function keptIn({ db }: Awaited<ReturnType<typeof freshDatabase>>) {
  const verdicts = await db.selectFrom('verdicts').selectAll().orderBy('digest').execute();
  const changes = await db
    .selectFrom('verdict_changes')
    .select(['repository', 'digest', 'previous', 'kind', 'cause', 'document', 'at'])
    .orderBy('digest')
    .orderBy('id')
    .execute();
  const clocks = await db.selectFrom('clocks').select(['vulnerability', 'package', 'first_seen']).execute();
  const listed = await db
    .selectFrom('repository_findings as l')
    .innerJoin('findings as f', 'f.id', 'l.finding_id')
    .select(['f.vulnerability', 'f.package', 'f.installed', 'l.blocked', 'l.statuses', 'l.first_seen'])
    .execute();
  const events = await db.selectFrom('outbox').select(['type', 'subject', 'data', 'batch']).execute();
  const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();
  return {
    verdicts: verdicts.map(({ repository_id: _own, ...rest }) => rest),
    changes: sorted(changes),
    clocks: sorted(clocks),
    listed: sorted(listed),
    events: sorted(events),
  };
}
