import { review } from '../admission/review.ts';
import { testRequest } from '../admission/testing.ts';
import { readKnownFacts } from '../audit/known-facts.ts';
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
import type { SnapshotParts } from '../guard/snapshot/sections.ts';
import { placeOfUpstream } from '../mirror/mirrored-address.ts';
import type { Reason, Verdict, VerdictKind } from '../model/verdict.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { silentLogger } from '../platform/logger.ts';
import { why } from '../policy/explain.ts';
import { refusal, warningText } from '../policy/messages.ts';
import { quarantineOf } from '../policy/quarantine.ts';
import { findManifestInfo } from '../registry/manifest-reader.ts';
import { createSimulatedWorld, HOST, type SimulatedWorld } from '../simulate/world.testing.ts';
import { findSubject, imageName } from '../verdicts/subjects.ts';
import { NOW, someone } from '../verdicts/world.testing.ts';
import {
  begin,
  type DecisionStory,
  happen,
  type Look,
  PROJECTS,
  type Tagged,
  tagsIn,
} from './decision-story.testing.ts';
import { createImageFacts } from './image-facts.ts';

const LIMIT = 500;

/**
 * Lives through a story, and asks the gate, the API, the server's webhook and audit, and a guard's, which follows and which was cut off
 * after what happened last, about the same references at the same moments. Gives how many were compared. Throws where they differ.
 */
export async function checkDecisions(handle: DatabaseHandle, story: DecisionStory): Promise<number> {
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
  let compared = 0;
  try {
    await begin(world, handle, story);
    for (const { event: next, waits, looks } of story.rounds) {
      await happen(world, handle, next);
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
          // Where a write is seen at once, so is what was written.
          if (handle.engine === 'sqlite') {
            const remembered = await remembering.factsAbout([reference]);
            compare(told, { ...told, by: 'the memory of the server', facts: remembered });
          }
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
  const names = ({ rule, message }: Reason): boolean => rule === 'quarantine' && words.startsWith(message);
  // What is said of a deadline is of when it was told; and of several quarantines any is reason enough.
  const isLoose = wordsMayBeOld || (quarantine !== undefined && verdict.reasons.some(names));
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
  const parts = snapshotOf(memory).parts();
  snapshotOf(copy).load(new Map(parts.map((part) => [part.key, JSON.parse(JSON.stringify(part.save()))])));
  return copy;
}

function snapshotOf(memory: FactsMemory): SnapshotParts {
  const [now, cursor, loaded] = [() => NOW, () => 'c', () => undefined];
  return factsSnapshot({ memory, server: 's', now, asOf: now, cursor, loaded });
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
