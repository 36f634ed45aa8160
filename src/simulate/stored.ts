import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { parseDigest } from '../oci/digest.ts';
import { advisoriesVersion } from '../verdicts/compute-others.ts';
import type { Sources } from '../verdicts/sources.ts';
import { asSubject, type Subject, subjectKey } from '../verdicts/subjects.ts';

/** Manifests judged at once: few enough to be held, many enough that statements cost little. */
const PAGE = 200;

/** A stored manifest with the decision that is kept about it. */
export interface Stored {
  readonly subject: Subject;
  readonly kind: VerdictKind;
  readonly policyVersion: number;
  readonly advisories: string;
  readonly changesAt: number | null;
}

/** Everything that has a verdict, of one project or in all, page by page: images and artifacts first, then indexes. */
export async function* storedManifests(db: Db, projectId?: string): AsyncGenerator<readonly Stored[]> {
  for (const indexes of [false, true]) {
    let after: Subject | undefined;
    for (;;) {
      const rows = await pageAfter(db, after, { indexes, projectId }).execute();
      const page = rows.flatMap((row): readonly Stored[] =>
        row.decision === null || row.policy_version === null || row.advisories === null
          ? []
          : [
              {
                subject: asSubject(row),
                kind: row.decision as VerdictKind,
                policyVersion: row.policy_version,
                advisories: row.advisories,
                changesAt: row.changes_at,
              },
            ],
      );
      if (page.length > 0) yield page;
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) break;
      after = asSubject(last);
    }
  }
}

/**
 * The manifests after one, with their verdicts, if any. They are counted off before anything is joined to them: PostgreSQL takes a join by
 * two columns for much smaller than it is, and would join and sort all that follows for every page.
 */
function pageAfter(
  db: Db,
  after: Subject | undefined,
  { indexes, projectId }: { readonly indexes: boolean; readonly projectId: string | undefined },
) {
  return db
    .selectFrom((from) => {
      let query = from
        .selectFrom('manifests')
        .select(['repository_id', 'digest', 'kind', 'artifact_type'])
        .where('kind', indexes ? '=' : '<>', 'index')
        .orderBy('repository_id')
        .orderBy('digest')
        .limit(PAGE);
      if (projectId !== undefined)
        query = query.where('repository_id', 'in', (of) =>
          of.selectFrom('repositories').select('id').where('project_id', '=', projectId),
        );
      if (after)
        query = query.where((where) =>
          where(where.refTuple('repository_id', 'digest'), '>', where.tuple(after.repositoryId, after.digest)),
        );
      return query.as('m');
    })
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .leftJoin('verdicts as v', (join) =>
      join.onRef('v.repository_id', '=', 'm.repository_id').onRef('v.digest', '=', 'm.digest'),
    )
    .select(['m.repository_id', 'm.digest', 'm.kind', 'm.artifact_type', 'r.name', 'r.project_id'])
    .select(['v.kind as decision', 'v.policy_version', 'v.advisories', 'v.changes_at'])
    .orderBy('m.repository_id')
    .orderBy('m.digest');
}

/** True when the kept decision is the one that a pull would get now. */
export async function holds(sources: Sources, stored: Stored): Promise<boolean> {
  const { version } = await sources.policies.effectivePolicy(stored.subject.projectId);
  return (
    stored.policyVersion === version &&
    stored.advisories === advisoriesVersion(sources) &&
    (stored.changesAt === null || stored.changesAt > sources.clock.now())
  );
}

/** Keys of those manifests that have a verdict. */
export async function judgedKeys(db: Db, subjects: readonly Subject[]): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const [repositoryId, own] of Map.groupBy(subjects, (subject) => subject.repositoryId))
    for (const batch of batches(own.map(({ digest }) => digest))) {
      const rows = await db
        .selectFrom('verdicts')
        .select('digest')
        .where('repository_id', '=', repositoryId)
        .where('digest', 'in', batch)
        .execute();
      for (const { digest } of rows) keys.add(subjectKey({ repositoryId, digest: parseDigest(digest) }));
    }
  return keys;
}
