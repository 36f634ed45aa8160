import type { Db } from '../db/database.ts';
import type { Finding } from '../model/finding.ts';
import type { Verdict } from '../model/verdict.ts';
import { breathe } from '../platform/breathe.ts';
import type { Assessments } from '../policy/assess.ts';
import { dependsOnClocks } from '../policy/clock-need.ts';
import type { Clock, FindingClocks } from '../policy/clocks.ts';
import { decide, type JudgeInput } from '../policy/judge.ts';
import { withOutlook } from '../policy/outlook.ts';
import type { Policy } from '../policy/policy.ts';
import type { ComingPolicy } from '../policy/policy-timeline.ts';
import { underQuarantine } from '../policy/quarantine.ts';
import { clocksOfSheet } from './clock-sheet.ts';
import { clocksOfRepository, sheetsOfImages } from './clock-store.ts';
import { evaluate, inventoryFacts } from './evaluate.ts';
import { createOneClock } from './one-clock.ts';
import { createPackageCache, type JudgedInventory, loadForJudging, type PackageCache } from './package-cache.ts';
import { NOTHING_STARTED, type Reckoning } from './reckon.ts';
import {
  createRepositoryClocks,
  type Reckoned,
  type ReckonedImage,
  type RepositoryClocks,
} from './repository-clocks.ts';
import type { Sources } from './sources.ts';
import type { Subject } from './subjects.ts';

/** Images judged before others get a turn: some milliseconds. */
const SLICE = 5;
/** Repositories whose clocks are kept; images of one repository follow each other. */
const REPOSITORIES_KEPT = 4;

/** What is worth remembering from one part of a long judging to the next, of the same sources. */
export interface ManyMemory {
  readonly packages: PackageCache;
  readonly clocks: Map<string, RepositoryClocks>;
  readonly assessments: Assessments;
  readonly oneClock: FindingClocks;
}

export function createManyMemory(): ManyMemory {
  return { packages: createPackageCache(), clocks: new Map(), assessments: new Map(), oneClock: createOneClock() };
}

/** An image with all that its verdict depends on but the moment. */
export interface PreparedImage {
  readonly subject: Subject;
  readonly input: Omit<JudgeInput, 'now'>;
  readonly reckoning: Reckoning;
}

/** A verdict on an image with the clocks it counts on. */
export interface ComputedImage {
  readonly subject: Subject;
  readonly verdict: Verdict;
  readonly reckoning: Reckoning;
}

/** Computes the verdicts on images as they are now and keeps none. Images without an inventory are left out. */
export async function computeMany(
  sources: Sources,
  subjects: readonly Subject[],
  memory: ManyMemory,
): Promise<readonly ComputedImage[]> {
  const computed: ComputedImage[] = [];
  const quarantined = await sources.quarantines.hitsOf(subjects);
  for (const [number, { subject, input, reckoning }] of (await prepareMany(sources, subjects, memory)).entries()) {
    if (number % SLICE === 0) await breathe();
    const judged = withOutlook(decide({ ...input, now: sources.clock.now() }, memory.assessments));
    const verdict = underQuarantine(judged, quarantined.get(subject.digest) ?? []);
    computed.push({ subject, verdict, reckoning });
  }
  return computed;
}

/**
 * Reads and matches what verdicts on images depend on, all with a handful of statements. Clocks that do not run yet start now.
 * Images without an inventory are left out. Where `decisionsOnly` are wanted, clocks are read for those that depend on them alone: verdicts
 * then may not say since when something is known.
 */
export async function prepareMany(
  sources: Sources,
  subjects: readonly Subject[],
  memory: ManyMemory,
  { decisionsOnly = false }: { readonly decisionsOnly?: boolean } = {},
): Promise<readonly PreparedImage[]> {
  const ready = await readInputs(sources, subjects, memory);
  const projects = await projectInputs(sources, ready);
  const isClocked = ({ projectId }: Subject): boolean =>
    !decisionsOnly || projects.get(projectId)?.dependsOnClocks === true;
  const clocks = await readClocks(sources, ready.map(({ subject }) => subject).filter(isClocked), memory);
  const database = sources.advisories.current();
  const prepared: PreparedImage[] = [];
  for (const [number, { subject, hash, platform, known }] of ready.entries()) {
    if (number % SLICE === 0) await breathe();
    const project = projects.get(subject.projectId);
    if (!project) continue;
    const { findings: matched, coverage } = evaluate(known.inventory, database, known.copies);
    const findings = await sources.vex.mark(subject, matched, known.inventory, project.input.policy.vexAuthors);
    const { policies } = project;
    const { distribution } = known.inventory;
    const reckoned = isClocked(subject)
      ? clocks.reckon(subject, findings, { policies, distribution, now: sources.clock.now() })
      : { clocks: memory.oneClock, reckoning: NOTHING_STARTED };
    const input = {
      subject: subject.digest,
      repository: subject.repository,
      platform,
      inventory: inventoryFacts(hash, known.inventory),
      findings,
      coverage,
      ...project.input,
      clocks: reckoned.clocks,
      ...(database ? { advisories: { version: database.version, builtAt: Date.parse(database.builtAt) } } : {}),
    };
    prepared.push({ subject, input, reckoning: reckoned.reckoning });
  }
  for (const id of [...memory.clocks.keys()].slice(0, -REPOSITORIES_KEPT)) memory.clocks.delete(id);
  return prepared;
}

/** Reads the clocks of images and of the repositories they are in. */
async function readClocks({ db }: Pick<Sources, 'db'>, subjects: readonly Subject[], memory: ManyMemory) {
  const sheets = await sheetsOfImages(db, [...new Set(subjects.map(({ digest }) => digest))]);
  for (const { repositoryId } of subjects)
    if (!memory.clocks.has(repositoryId))
      memory.clocks.set(repositoryId, createRepositoryClocks(await clocksOfRepository(db, repositoryId)));
  const started = new Map<string, Map<string, Clock>>();
  return {
    reckon(
      { repositoryId, digest }: Subject,
      findings: readonly Finding[],
      of: Omit<ReckonedImage, 'image'>,
    ): Reckoned {
      const repository = memory.clocks.get(repositoryId) ?? createRepositoryClocks(new Map());
      const image = started.get(digest) ?? clocksOfSheet(sheets.get(digest) ?? '');
      const reckoned = repository.reckon(findings, { ...of, image });
      // Where it lies in another repository too it counts on these as well.
      if (reckoned.reckoning.newInImage.size > 0) started.set(digest, image);
      return reckoned;
    },
  };
}

interface Ready {
  readonly subject: Subject;
  readonly hash: string;
  readonly platform: string | undefined;
  readonly known: JudgedInventory;
}

async function readInputs(
  { db }: Pick<Sources, 'db'>,
  subjects: readonly Subject[],
  memory: ManyMemory,
): Promise<readonly Ready[]> {
  const analysed = await analysedImages(db, subjects);
  const hashes = [...new Set(analysed.values().map(({ hash }) => hash))];
  const inventories = await loadForJudging(db, hashes, memory.packages);
  return subjects.flatMap((subject): Ready[] => {
    const image = analysed.get(subject.digest);
    const known = image && inventories.get(image.hash);
    return known ? [{ subject, ...image, known }] : [];
  });
}

async function analysedImages(
  db: Db,
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

/** What judging takes from the project. */
interface ProjectInputs {
  readonly input: Pick<JudgeInput, 'policy' | 'policyVersion' | 'exceptions'> & {
    readonly coming: readonly ComingPolicy[];
  };
  /** Those that count and those to come. */
  readonly policies: readonly Policy[];
  readonly dependsOnClocks: boolean;
}

async function projectInputs(
  sources: Pick<Sources, 'policies' | 'exceptions'>,
  entries: readonly { subject: Subject }[],
) {
  const inputs = new Map<string, ProjectInputs>();
  for (const projectId of new Set(entries.map(({ subject }) => subject.projectId))) {
    const { policy, coming = [], version: policyVersion } = await sources.policies.effectivePolicy(projectId);
    const exceptions = await sources.exceptions.granted(projectId);
    const policies = [policy, ...coming.map((next) => next.policy)];
    inputs.set(projectId, {
      input: { policy, coming, policyVersion, exceptions },
      policies,
      dependsOnClocks: dependsOnClocks(policies, exceptions),
    });
  }
  return inputs;
}
