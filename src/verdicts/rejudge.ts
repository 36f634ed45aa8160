import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { compareText } from '../oci/canonical.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { type ComputedMany, computeAgain, createManyMemory, keepAgain, type ManyMemory } from './judge-many.ts';
import type { Judgement, Judging, JudgingDeps } from './judging.ts';
import type { Cause } from './ports.ts';
import { asSubject, type Subject, selectSubjects, subjectKey } from './subjects.ts';

/** Images judged with one transaction: few enough that nobody waits long for it. */
const PAGE = 50;

/** What looking at stored verdicts again came to. */
export interface RejudgeResult {
  readonly judged: number;
  /** In kind or in the set of reasons. */
  readonly changed: number;
  /** Among the changed: now blocked and not before, and the other way round. */
  readonly blocked: number;
  readonly released: number;
  /** Could not be judged; their old verdict stays and is looked at again when it is asked for. */
  readonly failed: number;
}

export interface RejudgeDeps extends Omit<JudgingDeps, 'serial'> {
  readonly judging: Judging;
  readonly logger: Logger;
}

type Scope = { readonly projectId?: string; readonly dueAt?: number };

/**
 * Judges again everything judged, of one project or in all, or only what time has overtaken (`dueAt`, epoch ms): images
 * first, then the indexes that are about them.
 */
export async function rejudge(deps: RejudgeDeps, cause: Cause, scope: Scope = {}): Promise<RejudgeResult> {
  const images = await rejudgePages(deps, judgedSubjects(deps.db, false, scope), cause);
  return add(images, await rejudgePages(deps, judgedSubjects(deps.db, true, scope), cause));
}

/** Judges the verdicts on image manifests with these inventories again, in every repository, and the indexes above them. */
export async function rejudgeInventories(
  deps: RejudgeDeps,
  hashes: readonly string[],
  cause: Cause,
): Promise<RejudgeResult> {
  const images: Subject[] = [];
  for (const batch of batches(hashes)) {
    const rows = await selectJudged(deps.db)
      .innerJoin('images as i', 'i.digest', 'm.digest')
      .where('i.inventory_hash', 'in', batch)
      .execute();
    images.push(...rows.map(asSubject));
  }
  return rejudgeImages(deps, images, cause);
}

/** The same for these manifests, of one project or of all; of indexes the images in them. */
export async function rejudgeDigests(
  deps: RejudgeDeps,
  { digests, projectId }: { readonly digests: readonly Digest[]; readonly projectId?: string },
  cause: Cause,
): Promise<RejudgeResult> {
  const images: Subject[] = [];
  for (const batch of batches(await withRelatives(deps.db, digests))) {
    let query = selectJudged(deps.db).where('m.digest', 'in', batch).where('m.kind', '=', 'image');
    if (projectId !== undefined) query = query.where('r.project_id', '=', projectId);
    images.push(...(await query.execute()).map(asSubject));
  }
  return rejudgeImages(deps, images, cause);
}

/** Manifests by any of their digests, that of the configuration too, with what lies in them and the indexes they lie in. */
export async function withRelatives(db: Db, digests: readonly Digest[]): Promise<readonly Digest[]> {
  const all = new Set<string>(digests);
  for (const batch of batches(digests)) {
    const configured = await db
      .selectFrom('manifest_blobs')
      .select('manifest_digest')
      .where('blob_digest', 'in', batch)
      .where('position', '=', 0)
      .execute();
    const within = await db
      .selectFrom('manifest_children')
      .select('child_digest')
      .where('parent_digest', 'in', batch)
      .execute();
    for (const row of configured) all.add(row.manifest_digest);
    for (const row of within) all.add(row.child_digest);
  }
  for (const batch of batches([...all])) {
    const above = await db
      .selectFrom('manifest_children')
      .select('parent_digest')
      .where('child_digest', 'in', batch)
      .execute();
    for (const row of above) all.add(row.parent_digest);
  }
  return [...all].map(parseDigest);
}

function selectJudged(db: Db) {
  return selectSubjects(db).innerJoin('verdicts as v', (join) =>
    join.onRef('v.repository_id', '=', 'm.repository_id').onRef('v.digest', '=', 'm.digest'),
  );
}

async function rejudgeImages(deps: RejudgeDeps, images: Subject[], cause: Cause): Promise<RejudgeResult> {
  const parents = new Map<string, Subject>();
  for (const part of batches(images))
    for (const parent of await judgedParents(deps.db, part)) parents.set(subjectKey(parent), parent);
  // Images of one repository share their clocks.
  images.sort((a, b) => compareText(subjectKey(a), subjectKey(b)));
  const result = await rejudgePages(deps, batches(images, PAGE), cause);
  return add(result, await rejudgePages(deps, [[...parents.values()]], cause));
}

/** Judges the verdicts on exactly these manifests again, in every repository and whatever they are: indexes after the rest. */
export async function rejudgeManifests(
  deps: RejudgeDeps,
  digests: readonly Digest[],
  cause: Cause,
): Promise<RejudgeResult> {
  const found: Subject[] = [];
  for (const batch of batches(digests))
    found.push(...(await selectJudged(deps.db).where('m.digest', 'in', batch).execute()).map(asSubject));
  const others = found.filter((subject) => !isIndex(subject));
  // Images of one repository share their clocks.
  others.sort((a, b) => compareText(subjectKey(a), subjectKey(b)));
  const result = await rejudgePages(deps, batches(others, PAGE), cause);
  return add(result, await rejudgePages(deps, [found.filter(isIndex)], cause));
}

function isIndex({ kind }: Subject): boolean {
  return kind === 'index';
}

/** Indexes above manifests, and those above them. */
async function judgedParents(db: Db, children: readonly Subject[], depth = 0): Promise<readonly Subject[]> {
  const parents: Subject[] = [];
  for (const [repositoryId, own] of Map.groupBy(children, (child) => child.repositoryId))
    for (const batch of batches(own.map(({ digest }) => digest))) {
      const rows = await selectSubjects(db)
        .innerJoin('manifest_children as c', (join) =>
          join.onRef('c.repository_id', '=', 'm.repository_id').onRef('c.parent_digest', '=', 'm.digest'),
        )
        .where('c.repository_id', '=', repositoryId)
        .where('c.child_digest', 'in', batch)
        .distinct()
        .execute();
      parents.push(...rows.map(asSubject));
    }
  if (depth > 2 || parents.length === 0) return parents;
  return [...parents, ...(await judgedParents(db, parents, depth + 1))];
}

type Pages = AsyncIterable<readonly Subject[]> | Iterable<readonly Subject[]>;

/** Judges page after page: while what one came to is written and made durable, the next is computed. */
async function rejudgePages(deps: RejudgeDeps, pages: Pages, cause: Cause): Promise<RejudgeResult> {
  const memory = createManyMemory();
  let result = nothing;
  let writing: Promise<Written> = Promise.resolve({ result: nothing, remembered: true });
  for await (const subjects of pages) {
    const images = subjects.filter(({ kind }) => kind === 'image');
    let computed = await computeOrNone(deps, images, memory);
    const before = await writing;
    result = add(result, before.result);
    // It counted on clocks that were not kept.
    if (!before.remembered) computed = await computeOrNone(deps, images, memory);
    const others = subjects.filter(({ kind }) => kind !== 'image');
    writing = write(deps, { computed, others }, cause, memory);
  }
  return add(result, (await writing).result);
}

interface Written {
  readonly result: RejudgeResult;
  /** False when what was remembered had to be forgotten. */
  readonly remembered: boolean;
}

/** Keeps what images came to, and judges what could not be judged with others one by one. */
async function write(
  deps: RejudgeDeps,
  { computed, others }: { readonly computed: ComputedMany; readonly others: readonly Subject[] },
  cause: Cause,
  memory: ManyMemory,
): Promise<Written> {
  const { judgements, rest, remembered } = await keepOrNone(deps, computed, cause, memory);
  let result = judgements.map(countOf).reduce(add, nothing);
  for (const subject of [...rest, ...others]) {
    try {
      result = add(result, countOf(await deps.judging.judgeNow(subject, cause)));
    } catch (error) {
      const { repository, digest } = subject;
      deps.logger.warn({ repository, digest, reason: messageOf(error) }, 'verdict could not be renewed');
      result = add(result, { ...nothing, failed: 1 });
    }
  }
  return { result, remembered };
}

/** What keeps many from being judged at once is found out, and written down, one by one. */
async function computeOrNone(deps: RejudgeDeps, images: readonly Subject[], memory: ManyMemory): Promise<ComputedMany> {
  try {
    return await computeAgain(deps, images, memory);
  } catch (error) {
    oneByOne(deps, images, error, memory);
    return { subjects: images, replacements: [] };
  }
}

async function keepOrNone(deps: RejudgeDeps, computed: ComputedMany, cause: Cause, memory: ManyMemory) {
  try {
    return { ...(await keepAgain(deps.db, computed, cause, memory)), remembered: true };
  } catch (error) {
    oneByOne(deps, computed.subjects, error, memory);
    memory.findings.known.clear();
    return { judgements: [], rest: computed.subjects, remembered: false };
  }
}

function oneByOne({ logger }: RejudgeDeps, images: readonly Subject[], error: unknown, memory: ManyMemory): void {
  logger.warn({ images: images.length, reason: messageOf(error) }, 'verdicts are renewed one by one');
  // What is remembered may not have been written.
  memory.clocks.clear();
}

function countOf({ verdict, previous, changed }: Judgement): RejudgeResult {
  const was = previous?.kind === 'block';
  const is = verdict.kind === 'block';
  return {
    judged: 1,
    changed: Number(changed),
    blocked: Number(is && !was),
    released: Number(was && !is),
    failed: 0,
  };
}

async function* judgedSubjects(db: Db, indexes: boolean, { projectId, dueAt }: Scope): AsyncGenerator<Subject[]> {
  let after: Subject | undefined;
  for (;;) {
    let query = selectJudged(db)
      .where('m.kind', indexes ? '=' : '<>', 'index')
      .orderBy('m.repository_id')
      .orderBy('m.digest')
      .limit(PAGE);
    if (projectId !== undefined) query = query.where('r.project_id', '=', projectId);
    if (dueAt !== undefined) query = query.where('v.changes_at', '<=', dueAt);
    const last = after;
    if (last)
      query = query.where((where) =>
        where(where.refTuple('m.repository_id', 'm.digest'), '>', where.tuple(last.repositoryId, last.digest)),
      );
    const subjects = (await query.execute()).map(asSubject);
    if (subjects.length > 0) yield subjects;
    if (subjects.length < PAGE) return;
    after = subjects.at(-1);
  }
}

const nothing: RejudgeResult = { judged: 0, changed: 0, blocked: 0, released: 0, failed: 0 };

function add(a: RejudgeResult, b: RejudgeResult): RejudgeResult {
  return {
    judged: a.judged + b.judged,
    changed: a.changed + b.changed,
    blocked: a.blocked + b.blocked,
    released: a.released + b.released,
    failed: a.failed + b.failed,
  };
}
