import type { Db } from '../db/database.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { batches } from './batches.ts';
import type { Judging } from './judging.ts';
import type { Cause } from './ports.ts';
import { asSubject, type Subject, selectSubjects } from './subjects.ts';

const PAGE = 200;

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

export interface RejudgeDeps {
  readonly db: Db;
  readonly judging: Judging;
  readonly logger: Logger;
}

type Scope = { readonly projectId?: string; readonly dueAt?: number };

/**
 * Judges again everything judged, of one project or in all, or only what time has overtaken (`dueAt`, epoch ms): images
 * first, then the indexes that are about them.
 */
export async function rejudge(deps: RejudgeDeps, cause: Cause, scope: Scope = {}): Promise<RejudgeResult> {
  let result = nothing;
  for (const indexes of [false, true])
    for await (const subjects of judgedSubjects(deps.db, indexes, scope))
      result = add(result, await rejudgeSubjects(deps, subjects, cause));
  return result;
}

/** Judges the verdicts on image manifests with these inventories again, in every repository, and the indexes above them. */
export async function rejudgeInventories(
  deps: RejudgeDeps,
  hashes: readonly string[],
  cause: Cause,
): Promise<RejudgeResult> {
  let result = nothing;
  const parents = new Map<string, Subject>();
  for (const batch of batches(hashes)) {
    const rows = await selectSubjects(deps.db)
      .innerJoin('images as i', 'i.digest', 'm.digest')
      .innerJoin('verdicts as v', (join) =>
        join.onRef('v.repository_id', '=', 'm.repository_id').onRef('v.digest', '=', 'm.digest'),
      )
      .where('i.inventory_hash', 'in', batch)
      .execute();
    const subjects = rows.map(asSubject);
    result = add(result, await rejudgeSubjects(deps, subjects, cause));
    for (const subject of subjects)
      for (const parent of await judgedParents(deps.db, subject))
        parents.set(`${parent.repositoryId} ${parent.digest}`, parent);
  }
  return add(result, await rejudgeSubjects(deps, [...parents.values()], cause));
}

async function judgedParents(db: Db, { repositoryId, digest }: Subject, depth = 0): Promise<Subject[]> {
  const rows = await selectSubjects(db)
    .innerJoin('manifest_children as c', (join) =>
      join.onRef('c.repository_id', '=', 'm.repository_id').onRef('c.parent_digest', '=', 'm.digest'),
    )
    .where('c.repository_id', '=', repositoryId)
    .where('c.child_digest', '=', digest)
    .execute();
  const parents = rows.map(asSubject);
  if (depth > 2) return parents;
  const above = await Promise.all(parents.map((parent) => judgedParents(db, parent, depth + 1)));
  return [...parents, ...above.flat()];
}

async function rejudgeSubjects(deps: RejudgeDeps, subjects: readonly Subject[], cause: Cause): Promise<RejudgeResult> {
  let result = nothing;
  for (const subject of subjects) {
    try {
      const { verdict, previous, changed } = await deps.judging.judgeNow(subject, cause);
      const was = previous?.kind === 'block';
      const is = verdict.kind === 'block';
      result = add(result, {
        judged: 1,
        changed: Number(changed),
        blocked: Number(is && !was),
        released: Number(was && !is),
        failed: 0,
      });
    } catch (error) {
      const { repository, digest } = subject;
      deps.logger.warn({ repository, digest, reason: messageOf(error) }, 'verdict could not be renewed');
      result = add(result, { ...nothing, failed: 1 });
    }
  }
  return result;
}

async function* judgedSubjects(db: Db, indexes: boolean, { projectId, dueAt }: Scope): AsyncGenerator<Subject[]> {
  let after: Subject | undefined;
  for (;;) {
    let query = selectSubjects(db)
      .innerJoin('verdicts as v', (join) =>
        join.onRef('v.repository_id', '=', 'm.repository_id').onRef('v.digest', '=', 'm.digest'),
      )
      .where('m.kind', indexes ? '=' : '<>', 'index')
      .orderBy('m.repository_id')
      .orderBy('m.digest')
      .limit(PAGE);
    if (projectId !== undefined) query = query.where('r.project_id', '=', projectId);
    if (dueAt !== undefined) query = query.where('v.changes_at', '<=', dueAt);
    const last = after;
    if (last)
      query = query.where((where) =>
        where.or([
          where('m.repository_id', '>', last.repositoryId),
          where.and([where('m.repository_id', '=', last.repositoryId), where('m.digest', '>', last.digest)]),
        ]),
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
