import fc from 'fast-check';
import { review } from '../admission/review.ts';
import { testRequest } from '../admission/testing.ts';
import { readKnownFacts } from '../audit/known-facts.ts';
import { SYSTEM } from '../auth/principal.ts';
import { evaluate } from '../constraints/evaluate.ts';
import type { ImageFacts, ImageFactsSource } from '../constraints/image-facts.ts';
import { rulesOf } from '../constraints/rules.ts';
import { testConstraint, testPod } from '../constraints/testing.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { NOTED_TABLES } from '../db/settled-changes.ts';
import { createFeed, type Feed } from '../facts/feed.ts';
import { createFactsMemory, type FactsMemory } from '../facts/memory.ts';
import { scopeOf } from '../facts/scope.ts';
import { factsSnapshot } from '../guard/link/facts-snapshot.ts';
import { createLinkedFacts } from '../guard/link/linked-facts.ts';
import { createLedger } from '../ledger/ledger.ts';
import { placeOfUpstream } from '../mirror/mirrored-address.ts';
import type { Verdict, VerdictKind } from '../model/verdict.ts';
import { parseDigest } from '../oci/digest.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { silentLogger } from '../platform/logger.ts';
import { why } from '../policy/explain.ts';
import { refusal, warningText } from '../policy/messages.ts';
import { quarantineOf } from '../policy/quarantine.ts';
import { ProjectError } from '../projects/errors.ts';
import { createQuarantineStore } from '../quarantine/quarantine-store.ts';
import { findManifestInfo } from '../registry/manifest-reader.ts';
import { createSimulatedWorld, HOST, type SimulatedWorld } from '../simulate/world.testing.ts';
import { findSubject, imageName } from '../verdicts/subjects.ts';
import { ALPINE, advisoriesOf, DAY, NOW, someone } from '../verdicts/world.testing.ts';
import { createImageFacts } from './image-facts.ts';

const PROJECTS = ['front', 'back'] as const;
const TAGS = ['latest', '1', '1-dev'] as const;
const LIMIT = 500;

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
type Story = typeof decisionStory extends fc.Arbitrary<infer Value> ? Value : never;
type Event = Story['rounds'][number]['event'];
type Look = Story['rounds'][number]['looks'][number][number];

interface Tagged {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/**
 * Lives through a story, and asks the gate, the API, the server's webhook and audit, and a guard's, which follows and which was cut off
 * after what happened last, about the same references at the same moments. Gives how many were compared. Throws where they differ.
 */
export async function checkDecisions(handle: DatabaseHandle, story: Story): Promise<number> {
  const world = await createSimulatedWorld(handle);
  const { clock } = world;
  const placeOf = placeOfUpstream;
  const feed = createFeed({ database: handle, clock, logger: silentLogger, hosts: [HOST], placeOf });
  const ofServer = (mostImages?: number) =>
    createImageFacts({
      db: handle.db,
      feed,
      state: handle.stateOf(...NOTED_TABLES),
      verdicts: world.verdicts,
      clock,
      logger: silentLogger,
      host: HOST,
      ...(mostImages === undefined ? {} : { mostImages }),
    });
  // One reads the database each time, the other keeps what the feed tells.
  const server = ofServer(0);
  const remembering = ofServer();
  const follower = createFollower(feed);
  const ended: string[] = [];
  let compared = 0;
  try {
    await begin(world, handle, story);
    for (const { event: next, waits, looks } of story.rounds) {
      await happen(world, handle, next, ended);
      await world.verdicts.rejudgeDue();
      await follower.catchUp();
      const alone = asGuard(restored(follower.memory), clock);
      for (const [at, wait] of waits.entries()) {
        clock.set(clock.now() + wait);
        const tagged = await tagsIn(handle);
        for (const look of looks[at] ?? []) {
          const reference = referenceOf(look, tagged[look.which % tagged.length]!);
          const told = await toldBy({ server, look, world, handle, reference });
          await world.verdicts.rejudgeDue();
          await follower.catchUp();
          compare(told, { ...told, by: 'a guard', facts: asGuard(follower.memory, clock) });
          compare(told, { ...told, by: 'a guard cut off', facts: alone }, { wordsMayBeOld: true });
          compared += 1;
        }
      }
    }
    const [first] = await tagsIn(handle);
    const reference = first && parseReference(`${HOST}/${first.repository}:${first.tag}`);
    if (reference) {
      const look = { which: 0, as: 'tag', first: 'gate' } as const;
      const told = await toldBy({ server, look, world, handle, reference });
      compare(told, { ...told, by: 'the memory of the server', facts: await inMemory(remembering, reference) });
    }
    return compared;
  } finally {
    feed.close();
    await server.close();
    await remembering.close();
    await world.verdicts.close();
  }
}

async function begin(world: SimulatedWorld, handle: DatabaseHandle, story: Story): Promise<void> {
  world.state.advisories = advisoriesOf(story.facts);
  await handle.db
    .insertInto('upstreams')
    .values({
      project_id: 'back',
      url: 'https://registry-1.docker.io',
      username: null,
      secret: null,
      freshness_seconds: 1,
    })
    .execute();
  for (const change of story.policies) await happen(world, handle, change, []);
  const stored = [];
  for (const { repository, tag, distribution, packages } of story.images)
    stored.push(await world.push(repository, [{ packages, ...(distribution ? { distribution } : {}) }], tag));
  const [one] = stored;
  if (story.index && one) await world.pushIndex(one.repository, [one.digest], 'latest');
  if (story.artifact) await pointAt(handle, await world.pushArtifact('front/a'), '1-dev');
}

/** `ended`: quarantines that are over. */
async function happen(world: SimulatedWorld, handle: DatabaseHandle, event: Event, ended: string[]): Promise<void> {
  const { db } = handle;
  const { policies, verdicts, clock } = world;
  const rejudge = (owner: string) =>
    owner === 'installation' ? verdicts.rejudgeAll('policy') : verdicts.rejudgeProject(owner, 'policy');
  const ownerOf = (owner: string) => (owner === 'installation' ? owner : { id: owner, name: owner });
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
        ended.push(inForce.id);
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

async function tagsIn({ db }: DatabaseHandle): Promise<Tagged[]> {
  return db
    .selectFrom('tags as t')
    .innerJoin('repositories as r', 'r.id', 't.repository_id')
    .select(['r.name as repository', 't.name as tag', 't.digest'])
    .orderBy('r.name')
    .orderBy('t.name')
    .execute();
}

function referenceOf({ as }: Look, { repository, tag, digest }: Tagged): Reference {
  const tagText = tag === 'latest' && as === 'tag' ? '' : `:${tag}`;
  return parseReference(`${HOST}/${repository}${as === 'digest' ? '' : tagText}${as === 'tag' ? '' : `@${digest}`}`);
}

interface Told {
  readonly by: string;
  readonly reference: Reference;
  readonly verdict: Verdict;
  readonly facts: ImageFacts;
}

/** Asks the gate, the API and the webhook of the server, in this order or another. */
async function toldBy(asked: {
  readonly server: ImageFactsSource;
  readonly look: Look;
  readonly world: SimulatedWorld;
  readonly handle: DatabaseHandle;
  readonly reference: Reference;
}): Promise<Told> {
  const { server, look, world, handle, reference } = asked;
  const { repository, tag = 'latest', digest } = reference;
  const manifest = await findManifestInfo(handle.db, repository, digest ?? tag);
  const found = await handle.db
    .selectFrom('repositories')
    .select('id')
    .where('name', '=', repository)
    .executeTakeFirst();
  const subject = manifest && found && (await findSubject(handle.db, found.id, manifest.digest));
  if (!subject) throw new Error(`${reference.original} is not there`);
  const pull = { ...subject, reference: digest ?? tag };
  const early = look.first === 'gate' ? await world.verdicts.gate.decide(pull, someone) : undefined;
  const facts = await server.factsAbout([reference]);
  const gate = early ?? (await world.verdicts.gate.decide(pull, someone));
  const verdict = await world.verdicts.verdictFor(repository, subject.digest, digest === undefined ? tag : undefined);
  if (!verdict) throw new Error(`${reference.original} is not judged`);

  const name = await imageName(handle.db, pull);
  const { policy } = await world.policies.effectivePolicy(subject.projectId);
  const said = gate.kind === 'refuse' ? gate.message : (gate.warnings[0] ?? '');
  const expected = {
    allow: '',
    warn: warningText(verdict, name),
    block: refusal(verdict, { image: name, policy }),
  }[verdict.kind];
  const pulled: VerdictKind = gate.kind === 'refuse' ? 'block' : said === '' ? 'allow' : 'warn';
  same(reference, 'the gate', { kind: pulled, words: said }, { kind: verdict.kind, words: expected });
  const told = { by: 'the server', reference, verdict, facts };
  compare(told, told);
  await compareAudit(told, server);
  return told;
}

async function compareAudit(told: Told, source: ImageFactsSource): Promise<void> {
  const { facts } = await readKnownFacts(source, [told.reference.original]);
  compare(told, { ...told, by: 'the audit of the server', facts });
}

/** What is told of a reference, and what webhook and audit make of it, against the verdict. */
function compare(
  { reference, verdict }: Told,
  { by, facts }: Told,
  { wordsMayBeOld = false }: { readonly wordsMayBeOld?: boolean } = {},
): void {
  const fact = facts.verdicts.verdictOf(reference);
  const sentence = verdict.kind === 'allow' ? '' : why(verdict);
  const words = fact === undefined || fact.kind === 'allow' ? '' : fact.sentence;
  const quarantine = quarantineOf(verdict);
  // What is said of a deadline is of when it was told; and beside a quarantine it does not matter what else there is.
  const isLoose = wordsMayBeOld || (quarantine !== undefined && words.startsWith(quarantine.message));
  same(reference, by, { kind: fact?.kind, words }, { kind: verdict.kind, words: isLoose ? words : sentence });
  if (Boolean(fact?.quarantined) !== (quarantine !== undefined))
    throw new Error(`${by} differs about the quarantine of ${reference.original}`);

  const rules = rulesOf([testConstraint({ enforcementAction: 'deny', parameters: { repos: [HOST] } })]);
  const deps = { ...facts, namespaceLabels: () => ({}) };
  const object = testPod(reference.original);
  const reviewed = review(deps, rules, testRequest(object));
  const texts = reviewed.allowed ? (reviewed.warnings ?? []) : [reviewed.status?.message ?? ''];
  const kind = reviewed.allowed ? (texts.length === 0 ? 'allow' : 'warn') : 'block';
  same(reference, `the webhook of ${by}`, { kind }, { kind: verdict.kind });
  const lines = evaluate(deps, rules, 'audit.gatekeeper.sh', { object });
  const audited = {
    warned: 'warn',
    blocked: 'block',
    unknown: 'unknown',
    untrusted: 'untrusted',
    none: 'allow',
  } as const;
  same(reference, `the audit of ${by}`, { kind: audited[lines[0]?.kind ?? 'none'] }, { kind: verdict.kind });
  for (const text of [...texts, ...lines.map(({ message }) => message)])
    if (!text.includes(words)) throw new Error(`${by} says otherwise of ${reference.original}: ${text}`);
}

interface Answered {
  readonly kind: string | undefined;
  readonly words?: string;
}

function same({ original }: Reference, by: string, answer: Answered, expected: Answered): void {
  const [given, wanted] = [answer, expected].map(({ kind, words = '' }) => `${kind}: ${words.slice(0, LIMIT)}`);
  if (given !== wanted) throw new Error(`${by} says of ${original}\n  ${given}\ninstead of\n  ${wanted}`);
}

/** A guard of both projects. */
function createFollower(feed: Feed) {
  const memory = createFactsMemory();
  let cursor: string | undefined;
  return {
    memory,
    async catchUp(): Promise<void> {
      for (let complete = false; !complete; ) {
        const page = await feed.read({ scope: scopeOf(new Set(PROJECTS)), cursor, waitMs: 0 });
        // What travels is JSON.
        memory.apply(JSON.parse(JSON.stringify(page)) as typeof page);
        ({ cursor, complete } = page);
      }
    },
  };
}

function asGuard(memory: FactsMemory, clock: { now(): number }): ImageFacts {
  const maxAgeMs = Number.POSITIVE_INFINITY;
  return createLinkedFacts({ memory, clock, asOf: () => NOW, maxAgeMs, serverHost: HOST });
}

/** What a guard knows that starts from what another kept in the cluster. */
function restored(memory: FactsMemory): FactsMemory {
  const copy = createFactsMemory();
  const keeper = (of: FactsMemory) =>
    factsSnapshot({
      memory: of,
      server: 's',
      now: () => NOW,
      cursor: () => 'c',
      asOf: () => NOW,
      loaded: () => undefined,
    });
  const parts = keeper(memory).parts();
  keeper(copy).load(new Map(parts.map((part) => [part.key, JSON.parse(JSON.stringify(part.save()))])));
  return copy;
}

/** The facts once everything was brought into memory. */
async function inMemory(source: ImageFactsSource, reference: Reference): Promise<ImageFacts> {
  for (;;) {
    const answer = source.factsAbout([reference]);
    if (!(answer instanceof Promise)) return answer;
    await answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
