import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import { lockRepository } from '../db/repository-lock.ts';
import { forgetProject } from '../findings/forget.ts';
import { immutableBy, readImmutableTags } from '../policy/immutable-tags.ts';
import { forgetUsage } from '../usage/changes.ts';

/** Tables whose rows belong to one repository and go with it. */
const OF_REPOSITORY = [
  // First: whoever writes a verdict holds its manifest after it.
  'verdicts',
  'tags',
  'mirror_tags',
  'manifest_children',
  'manifest_blobs',
  'manifests',
  'repository_blobs',
  'gc_reviews',
  'manifest_pulls',
] as const;

/** Name of a repository of the project in which a manifest is stored; undefined when the project is empty. */
export async function firstRepositoryWithContent(db: Db, projectId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('repositories')
    .innerJoin('manifests', 'manifests.repository_id', 'repositories.id')
    .select('repositories.name')
    .where('repositories.project_id', '=', projectId)
    .limit(1)
    .executeTakeFirst();
  return row?.name;
}

/** A tag of the project that its rules make immutable, as `repository:tag`; undefined when there is none. */
export async function firstImmutableTag(db: Db, projectId: string): Promise<string | undefined> {
  const project = await db
    .selectFrom('projects')
    .select('immutable_tags')
    .where('id', '=', projectId)
    .executeTakeFirst();
  const rules = readImmutableTags(project?.immutable_tags ?? null);
  if (rules.length === 0) return undefined;
  const tags = await db
    .selectFrom('repositories as r')
    .innerJoin('tags as t', 't.repository_id', 'r.id')
    .select(['r.name', 't.name as tag'])
    .where('r.project_id', '=', projectId)
    .orderBy('r.name')
    .orderBy('t.name')
    .execute();
  const found = tags.find(({ name, tag }) => immutableBy(rules, name.slice(name.indexOf('/') + 1), tag));
  return found && `${found.name}:${found.tag}`;
}

/** Deletes every repository of a project with what is in it. Blobs stay for garbage collection, upload sessions for those who sweep them. */
export async function deleteContent(tx: Tx, projectId: string, now: number): Promise<void> {
  const repositories = tx.selectFrom('repositories').where('project_id', '=', projectId);
  for (const { id } of await repositories.select('id').orderBy('id').execute()) await lockRepository(tx, id, 'sweep');
  await reviewBlobs(tx, projectId, now);
  await forgetUsage(tx, projectId);
  for (const table of OF_REPOSITORY)
    await tx.deleteFrom(table).where('repository_id', 'in', repositories.select('id')).execute();
  await forgetProject(tx, projectId);
  await tx
    .deleteFrom('clocks')
    .where('scope', 'in', repositories.select(sql<string>`'repository:' || id`.as('scope')))
    .execute();
  await tx.deleteFrom('repositories').where('project_id', '=', projectId).execute();
}

/** Has garbage collection look at every blob of the project, in the order in which it locks them. */
async function reviewBlobs(tx: Tx, projectId: string, now: number): Promise<void> {
  await sql`insert into gc_reviews (kind, repository_id, digest, changed_at, not_before, attempts)
    select distinct 'blob', '', l.digest, cast(${now} as bigint), 0, 0
    from repository_blobs l join repositories r on r.id = l.repository_id where r.project_id = ${projectId}
    order by l.digest
    on conflict (kind, repository_id, digest) do update set changed_at = excluded.changed_at`.execute(tx);
}

/** Has garbage collection look at the manifests of a project without tags. */
export async function reviewUntagged(tx: Tx, projectId: string, now: number): Promise<void> {
  await sql`insert into gc_reviews (kind, repository_id, digest, changed_at, not_before, attempts)
    select 'manifest', m.repository_id, m.digest, cast(${now} as bigint), 0, 0
    from manifests m join repositories r on r.id = m.repository_id where r.project_id = ${projectId}
      and not exists (select 1 from tags t where t.repository_id = m.repository_id and t.digest = m.digest)
    order by m.repository_id, m.digest
    on conflict (kind, repository_id, digest) do update set changed_at = excluded.changed_at`.execute(tx);
}
