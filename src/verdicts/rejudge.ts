import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { compareText } from '../oci/canonical.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { manifestsAfter } from './manifests-after.ts';
import type { Cause } from './ports.ts';
import { type RejudgeDeps, rejudgePages } from './rejudge-pages.ts';
import { add, type RejudgeResult } from './rejudge-result.ts';
import { asSubject, type Subject, selectSubjects, subjectKey } from './subjects.ts';

/** Images judged with one transaction: few enough that nobody waits long for it. */
const PAGE = 50;

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

type SubjectPages = AsyncGenerator<readonly Subject[]>;

function judgedSubjects(db: Db, indexes: boolean, { projectId, dueAt }: Scope): SubjectPages {
  return dueAt === undefined ? allJudged(db, { indexes, projectId }) : overtaken(db, { indexes, projectId, dueAt });
}

async function* allJudged(
  db: Db,
  which: { readonly indexes: boolean; readonly projectId: string | undefined },
): SubjectPages {
  let after: Subject | undefined;
  for (;;) {
    const rows = await manifestsAfter(db, after, { ...which, limit: PAGE })
      .select('v.judged_at')
      .execute();
    const judged = rows.filter(({ judged_at }) => judged_at !== null).map(asSubject);
    if (judged.length > 0) yield judged;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = asSubject(last);
  }
}

/** Of all verdicts these are few: they are found by their moment. */
async function* overtaken(
  db: Db,
  {
    indexes,
    projectId,
    dueAt,
  }: { readonly indexes: boolean; readonly projectId: string | undefined; readonly dueAt: number },
): SubjectPages {
  let after: Subject | undefined;
  for (;;) {
    let query = selectJudged(db)
      .where('m.kind', indexes ? '=' : '<>', 'index')
      .where('v.changes_at', '<=', dueAt)
      .orderBy('m.repository_id')
      .orderBy('m.digest')
      .limit(PAGE);
    if (projectId !== undefined) query = query.where('r.project_id', '=', projectId);
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
