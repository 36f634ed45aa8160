import fc from 'fast-check';
import { mirrorsDockerHub } from '../../test/support/upstream.ts';
import { SYSTEM } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createLedger } from '../ledger/ledger.ts';
import { parseDigest } from '../oci/digest.ts';
import { ProjectError } from '../projects/errors.ts';
import type { PolicyOwner } from '../projects/policy-store.ts';
import { createQuarantineStore } from '../quarantine/quarantine-store.ts';
import { type SimulatedWorld } from '../simulate/world.testing.ts';
import { ALPINE, advisoriesOf, DAY, NOW } from '../verdicts/world.testing.ts';

export const PROJECTS = ['front', 'back'] as const;
const TAGS = ['latest', '1', '1-dev'] as const;

const action = fc.constantFrom('ignore' as const, 'warn' as const, 'block' as const);
const threshold = fc.constantFrom('off' as const, 'low' as const, 'high' as const);
/** What one owner says; the rest is inherited. */
const document = fc.record(
  {
    disallowedTags: fc.record({ globs: fc.subarray(['latest', '*-dev', '1*']), action }, { requiredKeys: [] }),
    digestRequired: action,
    block: fc.record({ fixable: threshold, unfixable: threshold }),
    warn: fc.constant({ fixable: 'low', unfixable: 'low' }),
    contact: fc.constant({ text: 'the platform team', link: null }),
    unscannable: action,
  },
  { requiredKeys: [] },
);
const policyChange = fc.record({
  do: fc.constant('policy' as const),
  owner: fc.constantFrom('installation' as const, ...PROJECTS),
  document,
  lock: fc.constantFrom(false, false, true),
  in: fc.constantFrom(undefined, undefined, DAY, 2 * DAY),
});
const image = fc.record({
  repository: fc.constantFrom('front/a', 'front/b', 'back/a', 'back/library/nginx'),
  distribution: fc.constantFrom('3.23.3', undefined),
  packages: fc.uniqueArray(fc.constantFrom('musl@1-r0', 'musl@3-r0', 'zlib@1-r0'), { minLength: 1, maxLength: 2 }),
  tag: fc.constantFrom(...TAGS),
});
const facts = fc.dictionary(
  fc.constantFrom(`${ALPINE}/musl`, `${ALPINE}/zlib`),
  fc.array(
    fc.record(
      {
        id: fc.constantFrom('CVE-2024-1', 'CVE-2024-2'),
        severity: fc.constantFrom('low' as const, 'high' as const, 'critical' as const),
        fixed: fc.constant('2-r0'),
      },
      { requiredKeys: ['id', 'severity'] },
    ),
    { minLength: 1, maxLength: 2 },
  ),
);
const event = fc.oneof(
  policyChange,
  policyChange,
  fc.record({ do: fc.constant('roll back' as const), owner: policyChange.map(({ owner }) => owner), to: fc.nat() }),
  fc.record({
    do: fc.constant('except' as const),
    granted: fc.array(
      fc.record({ vulnerability: fc.constantFrom('CVE-2024-1', 'CVE-2024-2'), for: fc.constantFrom(DAY, 3 * DAY) }),
      { maxLength: 2 },
    ),
  }),
  fc.record({ do: fc.constant('quarantine' as const), which: fc.nat() }),
  fc.record({ do: fc.constant('tag' as const), which: fc.nat(), tag: fc.constantFrom(...TAGS) }),
  fc.record({ do: fc.constant('advisories' as const), facts }),
);
const lookedAt = fc.record({
  which: fc.nat(),
  as: fc.constantFrom('tag', 'tag', 'digest', 'both'),
  first: fc.constantFrom('gate', 'webhook'),
});
/** Things that happen, and after each of them the same number of moments and of references looked at at each. */
const MOMENTS = 2;
const REFERENCES = 6;
const ROUNDS = 3;
/** References compared in a story. */
export const COMPARED = ROUNDS * MOMENTS * REFERENCES;
const exactly = <Value>(arbitrary: fc.Arbitrary<Value>, length: number) =>
  fc.array(arbitrary, { minLength: length, maxLength: length });

/** A registry, what happens in it, and references that everybody is asked about in between. */
export const decisionStory = fc.record({
  images: fc.array(image, { minLength: 2, maxLength: 5 }),
  facts,
  index: fc.boolean(),
  artifact: fc.boolean(),
  policies: fc.array(policyChange, { maxLength: 3 }),
  rounds: exactly(
    fc.record({
      event,
      waits: exactly(fc.constantFrom(0, 1, DAY - 1, DAY, 2 * DAY), MOMENTS),
      looks: exactly(exactly(lookedAt, REFERENCES), MOMENTS),
    }),
    ROUNDS,
  ),
});
export type DecisionStory = typeof decisionStory extends fc.Arbitrary<infer Value> ? Value : never;
type Event = DecisionStory['rounds'][number]['event'];
export type Look = DecisionStory['rounds'][number]['looks'][number][number];

export interface Tagged {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** Fills a registry with what a story begins with. */
export async function begin(world: SimulatedWorld, handle: DatabaseHandle, story: DecisionStory): Promise<void> {
  world.state.advisories = advisoriesOf(story.facts);
  await mirrorsDockerHub(handle, 'back');
  for (const change of story.policies) await happen(world, handle, change);
  const stored = [];
  for (const { repository, tag, distribution, packages } of story.images)
    stored.push(await world.push(repository, [{ packages, ...(distribution ? { distribution } : {}) }], tag));
  const [one] = stored;
  if (story.index && one) await world.pushIndex(one.repository, [one.digest], 'latest');
  if (story.artifact) await pointAt(handle, await world.pushArtifact('front/a'), '1-dev');
}

/** Has one thing happen, and what is stored judged again as the server does then. */
export async function happen(world: SimulatedWorld, handle: DatabaseHandle, event: Event): Promise<void> {
  const { db } = handle;
  const { policies, verdicts, clock } = world;
  const rejudge = (owner: string) =>
    owner === 'installation' ? verdicts.rejudgeAll('policy') : verdicts.rejudgeProject(owner, 'policy');
  const tagged = await tagsIn(handle);
  switch (event.do) {
    case 'policy': {
      const lock = event.lock && event.owner === 'installation' ? { locked: ['digestRequired'] } : {};
      const effectiveFrom = event.in === undefined ? undefined : clock.now() + event.in;
      try {
        await policies.set(
          SYSTEM,
          ownerOf(event.owner),
          { ...event.document, ...lock },
          { reason: 'a test', effectiveFrom },
        );
      } catch (error) {
        // What may not be said of what is locked changes nothing.
        if (!(error instanceof ProjectError)) throw error;
        return;
      }
      await rejudge(event.owner);
      return;
    }
    case 'roll back': {
      const versions = await policies.history(ownerOf(event.owner));
      const version = versions[event.to % Math.max(1, versions.length)];
      if (!version) return;
      try {
        await policies.rollBack(SYSTEM, ownerOf(event.owner), version.version, { reason: 'a test' });
      } catch (error) {
        if (!(error instanceof ProjectError)) throw error;
        return;
      }
      await rejudge(event.owner);
      return;
    }
    case 'except':
      world.state.exceptions = event.granted.map((one, at) => ({
        id: `e${at}`,
        vulnerability: one.vulnerability,
        from: clock.now(),
        until: clock.now() + one.for,
      }));
      await verdicts.rejudgeProject('front', 'exception');
      return;
    case 'quarantine': {
      const one = tagged[event.which % Math.max(1, tagged.length)];
      if (!one) return;
      const inForce = await db
        .selectFrom('quarantines')
        .select('id')
        .where('target', '=', one.digest)
        .where('state', '=', 'active')
        .executeTakeFirst();
      if (inForce) {
        await db.updateTable('quarantines').set({ state: 'released' }).where('id', '=', inForce.id).execute();
      } else {
        const store = createQuarantineStore({ db, clock, ledger: createLedger({ db, clock }) });
        await store.add(SYSTEM, { target: one.digest, reason: 'taken over', ticket: 'INC-1' });
      }
      await verdicts.onQuarantineChanged([parseDigest(one.digest)]);
      return;
    }
    case 'tag': {
      const one = tagged[event.which % Math.max(1, tagged.length)];
      if (one) await pointAt(handle, one, event.tag);
      return;
    }
    case 'advisories':
      world.state.advisories = advisoriesOf(event.facts, NOW - DAY);
      await verdicts.onAdvisoriesChanged('all');
  }
}

async function pointAt(
  { db }: DatabaseHandle,
  { repository, digest }: Pick<Tagged, 'repository' | 'digest'>,
  name: string,
): Promise<void> {
  const { id } = await db
    .selectFrom('repositories')
    .select('id')
    .where('name', '=', repository)
    .executeTakeFirstOrThrow();
  await db
    .insertInto('tags')
    .values({ repository_id: id, name, digest, updated_at: NOW })
    .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doUpdateSet({ digest }))
    .execute();
}

/** All tags there are, in order. */
export async function tagsIn({ db }: DatabaseHandle): Promise<Tagged[]> {
  return db
    .selectFrom('tags as t')
    .innerJoin('repositories as r', 'r.id', 't.repository_id')
    .select(['r.name as repository', 't.name as tag', 't.digest'])
    .orderBy('r.name')
    .orderBy('t.name')
    .execute();
}

function ownerOf(owner: string): PolicyOwner {
  return owner === 'installation' ? owner : { id: owner, name: owner };
}
