import type { Db } from '../db/database.ts';
import { type ProjectUsage, type RepositoryUsage, readRepositoryUsage, readUsage } from './usage.ts';

/** Usage as somebody would count it who knows nothing of counters: from everything that is stored. */
export async function recount(db: Db): Promise<{ projects: ProjectUsage[]; repositories: RepositoryUsage[] }> {
  const projects = await db.selectFrom('projects').select('id').execute();
  const repositories = await db.selectFrom('repositories').select(['id', 'name', 'project_id']).execute();
  const blobs = await db
    .selectFrom('repository_blobs as l')
    .innerJoin('blobs as b', 'b.digest', 'l.digest')
    .select(['l.repository_id', 'b.digest', 'b.size'])
    .execute();
  const manifests = await db.selectFrom('manifests').select(['repository_id', 'digest', 'size']).execute();
  const within = (ids: ReadonlySet<string>) => {
    const distinct = (rows: readonly { repository_id: string; digest: string; size: number }[]) => [
      ...new Map(rows.filter((row) => ids.has(row.repository_id)).map((row) => [row.digest, row.size])).values(),
    ];
    const [ofBlobs, ofManifests] = [distinct(blobs), distinct(manifests)];
    const bytes = [...ofBlobs, ...ofManifests].reduce((sum, size) => sum + size, 0);
    return { bytes, blobs: ofBlobs.length, manifests: ofManifests.length };
  };
  return {
    projects: projects.map(({ id }) => ({
      projectId: id,
      ...within(new Set(repositories.filter(({ project_id }) => project_id === id).map((one) => one.id))),
    })),
    repositories: repositories.map(({ id, name }) => ({ name, ...within(new Set([id])) })),
  };
}

/** The same from the counters. */
export async function counted(db: Db): Promise<{ projects: ProjectUsage[]; repositories: RepositoryUsage[] }> {
  const projects = await readUsage(db);
  const repositories = await Promise.all(projects.map(({ projectId }) => readRepositoryUsage(db, projectId, 1000)));
  return { projects, repositories: repositories.flat() };
}

export function sorted({ projects, repositories }: Awaited<ReturnType<typeof recount>>) {
  return {
    projects: [...projects].sort((a, b) => (a.projectId < b.projectId ? -1 : 1)),
    repositories: [...repositories].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
