import type { Db } from '../db/database.ts';
import { statement } from '../db/statement.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { PageRequest } from './paging.ts';

export interface Tag {
  readonly name: string;
  readonly digest: Digest;
  /** Epoch ms. */
  readonly updatedAt: number;
}

/** Tags of a repository by name, bytewise, after `after` (which need not exist); at most `limit`. */
export async function listTags(db: Db, repositoryId: string, page: PageRequest): Promise<Tag[]> {
  const rows = await tagPage(db, repositoryId, page).select(['name', 'digest', 'updated_at']).execute();
  return rows.map((row) => ({ name: row.name, digest: parseDigest(row.digest), updatedAt: row.updated_at }));
}

/** As `listTags`, the names alone. */
export async function listTagNames(db: Db, repositoryId: string, page: PageRequest): Promise<string[]> {
  const { rows } = await selectNames(db, { repositoryId, ...page });
  return rows.map((row) => row.name);
}

const selectNames = statement((db, page: PageRequest & { readonly repositoryId: string }) =>
  tagPage(db, page.repositoryId, { after: page.after, limit: page.limit }).select('name'),
);

function tagPage(db: Db, repositoryId: string, { after, limit }: PageRequest) {
  return db
    .selectFrom('tags')
    .where('repository_id', '=', repositoryId)
    .where('name', '>', after)
    .orderBy('name')
    .limit(limit);
}

/** Names of the tags that point at a manifest, bytewise. */
export async function tagsOf(db: Db, repositoryId: string, digest: Digest): Promise<string[]> {
  const rows = await db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}
