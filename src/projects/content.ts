import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';

/** Tables whose rows belong to one repository and go with it. */
const OF_REPOSITORY = [
  'tags',
  'mirror_tags',
  'manifest_children',
  'manifest_blobs',
  'manifests',
  'repository_blobs',
  'verdicts',
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

/** Deletes every repository of a project with what is in it. Blobs and upload sessions stay for those who sweep them. */
export async function deleteContent(tx: Tx, projectId: string): Promise<void> {
  const repositories = tx.selectFrom('repositories').where('project_id', '=', projectId);
  for (const table of OF_REPOSITORY)
    await tx.deleteFrom(table).where('repository_id', 'in', repositories.select('id')).execute();
  await tx
    .deleteFrom('clocks')
    .where('scope', 'in', repositories.select(sql<string>`'repository:' || id`.as('scope')))
    .execute();
  await tx.deleteFrom('repositories').where('project_id', '=', projectId).execute();
}
