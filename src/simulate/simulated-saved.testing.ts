import fc from 'fast-check';
import { openDatabase } from '../db/database.ts';
import { graceOf } from '../policy/judging.testing.ts';
import type { Policy } from '../policy/policy.ts';
import { ALPINE, advisoriesOf, DAY, type Facts, gated, NOW } from '../verdicts/world.testing.ts';
import type { Outcome } from './outcome.ts';
import type { Question } from './question.ts';
import { createSimulatedWorld, type SimulatedWorld } from './world.testing.ts';

const names = ['musl', 'busybox', 'zlib', 'openssl'] as const;
const ids = ['CVE-2024-1', 'CVE-2024-2', 'CVE-2024-3', 'GHSA-aaaa-bbbb-cccc'] as const;
const level = fc.constantFrom('off' as const, 'low' as const, 'high' as const, 'critical' as const);
const days = fc.constantFrom(0, 0, 2, 5);
const policy: fc.Arbitrary<Policy> = fc
  .record({
    fixable: level,
    unfixable: level,
    high: days,
    critical: days,
    graced: fc.boolean(),
    strictIndex: fc.boolean(),
    sample: fc.boolean(),
  })
  .map(({ fixable, unfixable, high, critical, graced, strictIndex, sample }) => ({
    ...gated,
    block: { fixable, unfixable },
    warn: { fixable: 'low', unfixable: 'low' },
    // Without any period nothing depends on clocks, and a simulation reads none.
    graceDays: graceOf(graced ? { low: 5, medium: 5, high, critical: Math.min(high, critical) } : {}),
    advisorySample: sample ? 'block' : 'warn',
    advisoryAge: { days: sample ? 4 : null, action: 'block' },
    strictIndex,
  }));
const image = fc.record({
  repository: fc.constantFrom('front/a', 'front/b', 'back/a'),
  distribution: fc.constantFrom('3.23.3', '3.23.4'),
  packages: fc.uniqueArray(
    fc.constantFrom(...names.flatMap((name) => [`${name}@1-r0`, `${name}@2-r0`]), 'npm:lodash@4'),
    {
      minLength: 1,
      maxLength: 5,
    },
  ),
});
const facts: fc.Arbitrary<Facts> = fc.dictionary(
  fc.constantFrom(...names.map((name) => `${ALPINE}/${name}`)),
  fc.uniqueArray(
    fc.record(
      {
        id: fc.constantFrom(...ids),
        severity: fc.constantFrom('low' as const, 'high' as const, 'critical' as const),
        fixed: fc.constantFrom('2-r0', '3-r0'),
      },
      { requiredKeys: ['id', 'severity'] },
    ),
    { selector: ({ id }) => id, minLength: 1, maxLength: 3 },
  ),
  { minKeys: 1 },
);
const exception = fc.record(
  {
    id: fc.constantFrom('e1', 'e2', 'e3', 'e4'),
    vulnerability: fc.constantFrom(...ids),
    from: fc.constant(NOW),
    until: fc.constantFrom(NOW + DAY, NOW + 3 * DAY, NOW + 9 * DAY),
    repository: fc.constantFrom('a', '**', 'b'),
  },
  { requiredKeys: ['id', 'vulnerability', 'from', 'until'] },
);
const exceptions = fc.uniqueArray(exception, { selector: ({ id }) => id, maxLength: 3 });
const change = fc.oneof(
  policy.map((document) => ({ policy: document })),
  exceptions.map((granted) => ({ exceptions: granted })),
  facts.map((next) => ({ facts: next })),
  fc.constant({}),
);

/** A world, what happens in it before somebody asks, and what they ask about. */
export const simulatedStory = fc.record({
  images: fc.array(image, { minLength: 1, maxLength: 8 }),
  facts,
  policy,
  granted: exceptions,
  waited: fc.constantFrom(0, DAY, 3 * DAY),
  change,
  ahead: fc.constantFrom(0, 1, DAY, 2 * DAY, 6 * DAY),
});
type Story = typeof simulatedStory extends fc.Arbitrary<infer Value> ? Value : never;
type Change = Story['change'];

/**
 * Simulates a change, makes it, lets the time pass that was asked for, and compares what is decided about every stored manifest;
 * then follows the calendar to its first moment. Gives how many decisions were compared. Throws where one differs.
 */
export async function checkStory(story: Story): Promise<number> {
  const handle = await openDatabase({ engine: 'sqlite', path: ':memory:' });
  const world = await createSimulatedWorld(handle);
  try {
    await begin(world, story);
    const now = world.clock.now();
    const at = now + story.ahead;
    const next = 'facts' in story.change ? advisoriesOf(story.change.facts) : undefined;
    const question = { ...questionOf(world, story.change), ...(story.ahead === 0 ? {} : { at }), until: at + 30 * DAY };
    const before = await world.decisions();
    const foreseen = await world.simulate(question, next ? { candidate: next } : {});
    if ([...(await world.decisions())].join() !== [...before].join())
      throw new Error('the simulation changed something');
    await make(world, story.change, next);
    world.clock.set(at);
    const compared = compare(before, foreseen, await world.decisions());
    return compared + (await followCalendar(world, foreseen));
  } finally {
    await world.verdicts.close();
    await handle.close();
  }
}

async function begin(world: SimulatedWorld, story: Story): Promise<void> {
  world.state.advisories = advisoriesOf(story.facts);
  await world.setPolicy('front', story.policy);
  world.state.exceptions = story.granted;
  const stored = [];
  for (const { repository, ...layer } of story.images) stored.push(await world.push(repository, [layer]));
  for (const [repository, children] of Map.groupBy(stored, (one) => one.repository))
    if (children.length > 1)
      await world.pushIndex(
        repository,
        children.map(({ digest }) => digest),
      );
  world.clock.set(NOW + story.waited);
  await world.verdicts.rejudgeDue();
}

function questionOf(world: SimulatedWorld, change: Change): Question {
  if ('policy' in change) return { policy: { owner: 'front', document: change.policy } };
  if (!('exceptions' in change)) return {};
  const revoked = world.state.exceptions.map(({ id }) => id);
  const granted = change.exceptions.map((one) => ({ ...one, id: `new-${one.id}` }));
  return { exceptions: { projectId: 'front', granted, revoked } };
}

async function make(world: SimulatedWorld, change: Change, next: SimulatedWorld['state']['advisories']): Promise<void> {
  if ('policy' in change) {
    await world.setPolicy('front', change.policy);
  } else if ('exceptions' in change) {
    world.state.exceptions = change.exceptions.map((one) => ({ ...one, id: `new-${one.id}` }));
    await world.verdicts.rejudgeProject('front', 'exception');
  } else if (next) {
    world.state.advisories = next;
    await world.verdicts.onAdvisoriesChanged('all');
  }
}

type Decisions = ReadonlyMap<string, string>;

function compare(before: Decisions, foreseen: Outcome, after: Decisions): number {
  const expected = new Map(before);
  for (const { repository, digest, after: kind } of foreseen.changes) expected.set(`${repository}@${digest}`, kind);
  for (const [image, kind] of after)
    if (expected.get(image) !== kind)
      throw new Error(
        `${image} was foreseen as ${expected.get(image)} and is ${kind}: ${JSON.stringify(foreseen.changes)}`,
      );
  return after.size;
}

/** Until the first moment that changes a decision nothing changes, and at it as many images do as the calendar says. */
async function followCalendar(world: SimulatedWorld, { calendar = [] }: Outcome): Promise<number> {
  const first = calendar.find(({ blocked, allowed }) => blocked + allowed > 0);
  if (!first) return 0;
  const was = await world.decisions();
  world.clock.set(first.at - 1);
  const still = await world.decisions();
  for (const [image, kind] of still)
    if ((was.get(image) === 'block') !== (kind === 'block')) throw new Error(`${image} changed before its moment`);
  world.clock.set(first.at);
  const then = await world.decisions();
  const blocked = [...then].filter(([image, kind]) => kind === 'block' && still.get(image) !== 'block').length;
  const foreseen = Math.max(...calendar.filter(({ at }) => at === first.at).map((one) => one.blocked));
  if (blocked !== foreseen && calendar.filter(({ at, blocked: some }) => at === first.at && some > 0).length === 1)
    throw new Error(`${blocked} images became blocked at ${first.at}, ${foreseen} were foreseen`);
  return still.size + then.size;
}
