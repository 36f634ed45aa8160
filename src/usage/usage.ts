import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CountedContent } from './changes.ts';

/** What a project holds: content that is in several of its repositories counts once. */
export interface Usage {
  readonly bytes: number;
  readonly blobs: number;
  readonly manifests: number;
}

export interface ProjectUsage extends Usage {
  readonly projectId: string;
}

/** Changes from which on reading gets dearer than folding them. */
const MANY_CHANGES = 64;

/** Name and content of one repository, which others of the project may have too. */
export interface RepositoryUsage extends Usage {
  readonly name: string;
}

/**
 * What projects hold at this moment, in one statement: the sums, and what the changes since the last fold do to them. Its time
 * depends on these changes only, not on what is stored. Without `projectId`: every project.
 */
export async function readUsage(db: Db, projectId?: string): Promise<ProjectUsage[]> {
  const rows = await readSums(db, projectId);
  return rows.map(({ projectId: id, bytes, blobs, manifests }) => ({ projectId: id, bytes, blobs, manifests }));
}

/** A statement that does not begin with `select` would count as a change of the database. */
async function readSums(db: Db, projectId: string | undefined) {
  const only = (column: string) => (projectId === undefined ? sql`1 = 1` : sql`${sql.ref(column)} = ${projectId}`);
  const { rows } = await sql<ProjectUsage & { readonly changes: number }>`select * from (
    with pending as (
      select project_id, kind, digest, sum(links) as links, max(size) as size, count(*) as changes
      from usage_changes where ${only('project_id')} group by project_id, kind, digest),
    effects as (
      select p.project_id, p.kind, p.size, p.changes,
        case when coalesce(i.links, 0) + p.links > 0 then 1 else 0 end - case when coalesce(i.links, 0) > 0 then 1 else 0 end as change
      from pending p left join usage_items i on i.project_id = p.project_id and i.kind = p.kind and i.digest = p.digest),
    since as (
      select project_id, sum(changes) as changes, sum(change * size) as bytes,
        sum(case when kind = 'blob' then change else 0 end) as blobs,
        sum(case when kind = 'blob' then 0 else change end) as manifests
      from effects group by project_id)
    select p.id as "projectId",
      cast(coalesce(u.bytes, 0) + coalesce(s.bytes, 0) as bigint) as bytes,
      cast(coalesce(u.blobs, 0) + coalesce(s.blobs, 0) as bigint) as blobs,
      cast(coalesce(u.manifests, 0) + coalesce(s.manifests, 0) as bigint) as manifests,
      cast(coalesce(s.changes, 0) as bigint) as changes
    from projects p left join project_usage u on u.project_id = p.id left join since s on s.project_id = p.id
    where ${only('p.id')}) as usage`.execute(db);
  return rows;
}

/**
 * Bytes that a project holds, and whether some content is among them already and would add nothing. `backlog`: there are so many
 * changes since the last fold that the next one is worth while.
 */
export async function readBytes(
  db: Db,
  projectId: string,
  content?: Pick<CountedContent, 'kind' | 'digest'>,
): Promise<{ readonly bytes: number; readonly holds: boolean; readonly backlog: boolean }> {
  const [sums] = await readSums(db, projectId);
  return {
    bytes: sums?.bytes ?? 0,
    holds: content !== undefined && (await holds(db, projectId, content)),
    backlog: (sums?.changes ?? 0) > MANY_CHANGES,
  };
}

async function holds(db: Db, projectId: string, { kind, digest }: Pick<CountedContent, 'kind' | 'digest'>) {
  const { rows } = await sql<{ readonly links: number }>`select cast(
    coalesce((select links from usage_items where project_id = ${projectId} and kind = ${kind} and digest = ${digest}), 0)
    + coalesce((select sum(links) from usage_changes where project_id = ${projectId} and kind = ${kind} and digest = ${digest}), 0)
    as bigint) as links`.execute(db);
  return (rows[0]?.links ?? 0) > 0;
}

/** What each repository of a project holds, the largest first. */
export async function readRepositoryUsage(db: Db, projectId: string, limit: number): Promise<RepositoryUsage[]> {
  const { rows } = await sql<RepositoryUsage>`select * from (
    with since as (
      select repository_id, sum(links * size) as bytes,
        sum(case when kind = 'blob' then links else 0 end) as blobs,
        sum(case when kind = 'blob' then 0 else links end) as manifests
      from usage_changes where project_id = ${projectId} group by repository_id)
    select r.name,
      cast(coalesce(u.bytes, 0) + coalesce(s.bytes, 0) as bigint) as bytes,
      cast(coalesce(u.blobs, 0) + coalesce(s.blobs, 0) as bigint) as blobs,
      cast(coalesce(u.manifests, 0) + coalesce(s.manifests, 0) as bigint) as manifests
    from repositories r left join repository_usage u on u.repository_id = r.id left join since s on s.repository_id = r.id
    where r.project_id = ${projectId}) as usage order by bytes desc, name limit ${limit}`.execute(db);
  return rows;
}

/** Bytes of all projects together, as of the last fold. */
export async function totalBytes(db: Db): Promise<number> {
  const { bytes } = await db
    .selectFrom('project_usage')
    .select(sql<number>`cast(coalesce(sum(bytes), 0) as bigint)`.as('bytes'))
    .executeTakeFirstOrThrow();
  return bytes;
}
