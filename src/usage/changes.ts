import { sql } from 'kysely';
import type { Tx } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { statement } from '../db/statement.ts';

export type ContentKind = 'blob' | 'manifest';

/** Content in a repository, as far as usage counts it. */
export interface CountedContent {
  readonly kind: ContentKind;
  readonly digest: string;
  readonly size: number;
}

/** Where content comes or goes. */
export interface CountedPlace {
  readonly id: string;
  readonly projectId: string;
}

/** Notes, in the transaction that makes it so, that a repository has some content now that it did not have before. */
export async function noteArrival(tx: Tx, place: CountedPlace, content: CountedContent): Promise<void> {
  await note(tx, place, content, 1);
}

/** The same for a manifest that a repository has no more. */
export async function noteDeparture(tx: Tx, place: CountedPlace, content: CountedContent): Promise<void> {
  await note(tx, place, content, -1);
}

/** The same for a blob, whose size its row knows. */
export async function noteBlobDeparture(tx: Tx, place: CountedPlace, digest: string): Promise<void> {
  await sql`insert into usage_changes (project_id, repository_id, kind, digest, size, links)
    select ${place.projectId}, ${place.id}, 'blob', digest, size, -1 from blobs where digest = ${digest}`.execute(tx);
}

async function note(tx: Tx, place: CountedPlace, { kind, digest, size }: CountedContent, links: 1 | -1): Promise<void> {
  await insertChange(tx, { project_id: place.projectId, repository_id: place.id, kind, digest, size, links });
}

const insertChange = statement(
  (db, { project_id, repository_id, kind, digest, size, links }: NewRow<'usage_changes'>) =>
    db.insertInto('usage_changes').values({ project_id, repository_id, kind, digest, size, links }),
);

/** Forgets what a project holds, with the project. Its folder is stopped first: it takes the same row first. */
export async function forgetUsage(tx: Tx, projectId: string): Promise<void> {
  for (const table of ['project_usage', 'usage_changes', 'usage_items', 'repository_usage'] as const)
    await tx.deleteFrom(table).where('project_id', '=', projectId).execute();
}
