import type { Db } from '../db/database.ts';
import type { Subject } from './subjects.ts';

/**
 * So many manifests after one, as `asSubject` takes them, with the row `v` of their verdicts, if any. They are counted off before anything is
 * joined to them: PostgreSQL takes a join by two columns for much smaller than it is, and would join and sort all that follows for every page.
 */
export function manifestsAfter(
  db: Db,
  after: Subject | undefined,
  {
    indexes,
    projectId,
    limit,
  }: { readonly indexes: boolean; readonly projectId: string | undefined; readonly limit: number },
) {
  return db
    .selectFrom((from) => {
      let query = from
        .selectFrom('manifests')
        .select(['repository_id', 'digest', 'kind', 'artifact_type'])
        .where('kind', indexes ? '=' : '<>', 'index')
        .orderBy('repository_id')
        .orderBy('digest')
        .limit(limit);
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
    .orderBy('m.repository_id')
    .orderBy('m.digest');
}
