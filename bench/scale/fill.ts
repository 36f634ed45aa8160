import { sql } from 'kysely';
import { type DatabaseLocation, type Db, openDatabase } from '../../src/db/database.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';

/** Rows per statement: far below both engines' limits of bound values. */
const BATCH = 1000;
const SIGNATURE = 'application/vnd.example.signature';

/** What a registry holds after years, written past it: pushing half a million tags one by one would measure nothing more. No server may run. */
export async function fill(location: DatabaseLocation, work: (db: Db) => Promise<void>): Promise<void> {
  const handle = await openDatabase(location);
  try {
    await handle.db.transaction().execute(work);
    // PostgreSQL does this by itself soon after; SQLite is not told, as the server does not tell it either.
    if (handle.engine === 'postgres') await sql`analyze`.execute(handle.db);
  } finally {
    await handle.close();
  }
}

async function repositoryId(db: Db, name: string): Promise<string> {
  return (await db.selectFrom('repositories').select('id').where('name', '=', name).executeTakeFirstOrThrow()).id;
}

/** Names in the order of the list. */
export function tagName(number: number): string {
  return `v${String(number).padStart(7, '0')}`;
}

/** Tags from `first` to before `end`, shared out among the manifests. */
export async function addTags(
  db: Db,
  repository: string,
  { first, end, digests }: { readonly first: number; readonly end: number; readonly digests: readonly string[] },
): Promise<void> {
  const repository_id = await repositoryId(db, repository);
  for (let at = first; at < end; at += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, end - at) }, (_, offset) => ({
      repository_id,
      name: tagName(at + offset),
      digest: digests[(at + offset) % digests.length] ?? '',
      updated_at: 0,
    }));
    await db.insertInto('tags').values(rows).execute();
  }
}

export async function addRepositories(db: Db, project: string, count: number): Promise<void> {
  const { id } = await db.selectFrom('projects').select('id').where('name', '=', project).executeTakeFirstOrThrow();
  for (let at = 0; at < count; at += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, count - at) }, (_, offset) => ({
      id: `scale-${at + offset}`,
      project_id: id,
      name: `${project}/r${String(at + offset).padStart(6, '0')}`,
      created_at: 0,
    }));
    await db.insertInto('repositories').values(rows).execute();
  }
}

/** Artifacts about one manifest. */
export async function addReferrers(db: Db, repository: string, subject: string, count: number): Promise<void> {
  const repository_id = await repositoryId(db, repository);
  for (let at = 0; at < count; at += 500) {
    const rows = Array.from({ length: Math.min(500, count - at) }, (_, offset) => {
      const content = Buffer.from(
        JSON.stringify({ schemaVersion: 2, number: at + offset, subject: { digest: subject } }),
      );
      return {
        repository_id,
        digest: digestOf(content),
        media_type: OCI_MANIFEST,
        kind: 'artifact',
        artifact_type: SIGNATURE,
        size: content.length,
        content,
        subject,
        annotations: JSON.stringify({ number: String(at + offset) }),
        created_by: 'scale',
        created_at: 0,
      };
    });
    await db.insertInto('manifests').values(rows).execute();
  }
}
