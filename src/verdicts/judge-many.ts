import { breathe } from '../platform/breathe.ts';
import type { Assessments } from '../policy/assess.ts';
import { createClockedParts } from '../policy/clocked-parts.ts';
import type { Clock } from '../policy/clocks.ts';
import { type JudgeInput, judge } from '../policy/judge.ts';
import { withOutlook } from '../policy/outlook.ts';
import type { ComingPolicy } from '../policy/policy-timeline.ts';
import { withMark } from './clock-marks.ts';
import { clocksOfImages, clocksOfRepository } from './clock-store.ts';
import { evaluate, inventoryFacts } from './evaluate.ts';
import type { Judgement, JudgingDeps } from './judging.ts';
import { createPackageCache, type JudgedInventory, loadForJudging, type PackageCache } from './package-cache.ts';
import type { Cause } from './ports.ts';
import { type Reckoning, reckon, seenAt } from './reckon.ts';
import { type Replacement, replaceVerdicts } from './replace-verdicts.ts';
import { type Subject, subjectKey } from './subjects.ts';
import type { DocumentTexts } from './verdict-document.ts';
import { readVerdicts, type StoredVerdict } from './verdict-store.ts';

/** Images judged before others get a turn: some milliseconds. */
const SLICE = 5;
/** Repositories whose clocks are kept; images of one repository follow each other. */
const REPOSITORIES_KEPT = 4;

/** What is worth remembering from one part of a long judging to the next. */
export interface ManyMemory {
  readonly packages: PackageCache;
  /** Running clocks by repository. */
  readonly clocks: Map<string, Map<string, Clock>>;
  readonly assessments: Assessments;
  readonly texts: DocumentTexts;
}

export function createManyMemory(): ManyMemory {
  return { packages: createPackageCache(), clocks: new Map(), assessments: new Map(), texts: new WeakMap() };
}

export interface ManyJudged {
  readonly judgements: readonly Judgement[];
  /** Those that need to be judged one by one: without a kept verdict or inventory, or overtaken meanwhile. */
  readonly rest: readonly Subject[];
}

/** What judging takes from the project. */
type ProjectInputs = Pick<JudgeInput, 'policy' | 'policyVersion' | 'exceptions'> & {
  readonly coming: readonly ComingPolicy[];
};

interface Ready {
  readonly subject: Subject;
  readonly before: StoredVerdict;
  readonly hash: string;
  readonly platform: string | undefined;
  readonly known: JudgedInventory;
}

/**
 * Judges stored images that were judged before, all with a handful of statements. Same verdicts as one by one: what is kept
 * is read before the inputs and replaced only if nobody else has replaced it.
 */
export async function judgeMany(
  deps: Omit<JudgingDeps, 'serial'>,
  subjects: readonly Subject[],
  cause: Cause,
  memory: ManyMemory,
): Promise<ManyJudged> {
  const { db } = deps;
  const ready = await readInputs(deps, subjects, memory);
  const images = await clocksOfImages(db, [...new Set(ready.map(({ subject }) => subject.digest))]);
  for (const { subject } of ready)
    if (!memory.clocks.has(subject.repositoryId))
      memory.clocks.set(subject.repositoryId, await clocksOfRepository(db, subject.repositoryId));
  const projects = await projectInputs(deps, ready);
  const database = deps.advisories.current();
  const replacements: Replacement[] = [];
  for (const [at, { subject, before, hash, platform, known }] of ready.entries()) {
    if (at % SLICE === 0) await breathe();
    const project = projects.get(subject.projectId);
    if (!project) continue;
    const { findings: matched, coverage } = evaluate(known.inventory, database, known.copies);
    const findings = await deps.vex.mark(subject, matched, known.inventory, project.policy.vexAuthors);
    const now = deps.clock.now();
    const repository = memory.clocks.get(subject.repositoryId) ?? new Map<string, Clock>();
    const image = images.get(subject.digest) ?? new Map<string, Clock>();
    images.set(subject.digest, image);
    const partsOf = createClockedParts(
      [project.policy, ...project.coming.map((next) => next.policy)],
      known.inventory.distribution,
    );
    const reckoning = reckon(findings, { repository, image, partsOf }, now);
    run(repository, reckoning.newInRepository);
    run(image, reckoning.newInImage);
    const input = {
      subject: subject.digest,
      repository: subject.repository,
      platform,
      inventory: inventoryFacts(hash, known.inventory),
      findings,
      coverage,
      ...project,
      clocks: reckoning.clocks,
      ...(database ? { advisories: { version: database.version, builtAt: Date.parse(database.builtAt) } } : {}),
      now,
    };
    const verdict = withOutlook(input, judge(input, memory.assessments), memory.assessments);
    replacements.push({ subject, before, verdict, reckoning });
  }
  await breathe();
  const outcomes = await replaceVerdicts(db, replacements, cause, memory.texts);
  for (const id of [...memory.clocks.keys()].slice(0, -REPOSITORIES_KEPT)) memory.clocks.delete(id);
  const done = replacements.filter(({ subject }) => outcomes.get(subjectKey(subject)) !== 'lost');
  const finished = new Set(done.map(({ subject }) => subjectKey(subject)));
  return {
    judgements: done.map(({ subject, before, verdict }) => ({
      verdict,
      previous: before.verdict,
      changed: outcomes.get(subjectKey(subject)) === 'changed',
    })),
    rest: subjects.filter((subject) => !finished.has(subjectKey(subject))),
  };
}

/** Notes that clocks run now, for the images that follow. */
function run(running: Map<string, Clock>, started: Reckoning['newInImage']): void {
  for (const [key, { marks }] of started) {
    const clock = running.get(key) ?? { firstSeen: seenAt(marks) ?? Number.POSITIVE_INFINITY };
    running.set(key, marks.reduce(withMark, clock));
  }
}

async function readInputs(
  deps: Pick<JudgingDeps, 'db'>,
  subjects: readonly Subject[],
  memory: ManyMemory,
): Promise<readonly Ready[]> {
  const kept = await readVerdicts(deps.db, subjects);
  await breathe();
  const analysed = await analysedImages(deps, subjects);
  const hashes = [...new Set(analysed.values().map(({ hash }) => hash))];
  const inventories = await loadForJudging(deps.db, hashes, memory.packages);
  return subjects.flatMap((subject): Ready[] => {
    const before = kept.get(subjectKey(subject));
    const image = analysed.get(subject.digest);
    const known = image && inventories.get(image.hash);
    return before && known ? [{ subject, before, ...image, known }] : [];
  });
}

async function analysedImages(
  { db }: Pick<JudgingDeps, 'db'>,
  subjects: readonly Subject[],
): Promise<ReadonlyMap<string, Pick<Ready, 'hash' | 'platform'>>> {
  const digests = [...new Set(subjects.map(({ digest }) => digest))];
  const rows = await db
    .selectFrom('images')
    .select(['digest', 'inventory_hash', 'platform'])
    .where('digest', 'in', digests)
    .execute();
  return new Map(
    rows.flatMap(({ digest, inventory_hash: hash, platform }) =>
      hash === null ? [] : [[digest, { hash, platform: platform ?? undefined }] as const],
    ),
  );
}

async function projectInputs(
  deps: Pick<JudgingDeps, 'policies' | 'exceptions'>,
  entries: readonly { subject: Subject }[],
) {
  const inputs = new Map<string, ProjectInputs>();
  for (const projectId of new Set(entries.map(({ subject }) => subject.projectId))) {
    const { policy, coming = [], version } = await deps.policies.effectivePolicy(projectId);
    inputs.set(projectId, {
      policy,
      coming,
      policyVersion: version,
      exceptions: await deps.exceptions.granted(projectId),
    });
  }
  return inputs;
}
