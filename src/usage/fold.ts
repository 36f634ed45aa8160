import { sql } from 'kysely';
import { type Db, type Tx, unsynced } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { breathe } from '../platform/breathe.ts';

/** Changes folded in one transaction; a few milliseconds. */
const BATCH = 500;

interface Change {
  readonly repository_id: string;
  readonly kind: string;
  readonly digest: string;
  readonly size: number;
  readonly links: number;
}
interface Sums {
  bytes: number;
  blobs: number;
  manifests: number;
}

/** Folds the changes of usage into the sums; gives how many there were. Several at once fold one project after the other. */
export async function foldUsage(deps: { readonly db: Db }, signal?: AbortSignal): Promise<number> {
  let folded = 0;
  // A fold that is lost leaves the changes to the next.
  const db = unsynced(deps.db);
  const projects = await db.selectFrom('usage_changes').select('project_id').distinct().execute();
  for (const { project_id } of projects)
    for (;;) {
      if (signal?.aborted) return folded;
      const count = await db.transaction().execute((tx) => foldSome(tx, project_id));
      folded += count;
      await breathe();
      if (count < BATCH) break;
    }
  return folded;
}

async function foldSome(tx: Tx, projectId: string): Promise<number> {
  // Held to the end, so that nobody else folds the same project; who pushes never touches it.
  await tx
    .insertInto('project_usage')
    .values({ project_id: projectId, bytes: 0, blobs: 0, manifests: 0 })
    .onConflict((conflict) => conflict.column('project_id').doUpdateSet({ bytes: sql`project_usage.bytes` }))
    .execute();
  const changes = await tx
    .deleteFrom('usage_changes')
    .where('id', 'in', (eb) =>
      eb.selectFrom('usage_changes').select('id').where('project_id', '=', projectId).orderBy('id').limit(BATCH),
    )
    .returning(['repository_id', 'kind', 'digest', 'size', 'links'])
    .execute();
  if (changes.length === 0) return 0;
  await addToProject(tx, projectId, await foldItems(tx, projectId, changes));
  await foldRepositories(tx, projectId, changes);
  return changes.length;
}

/** Gives by how much the project's sums change: by what came into its first repository, and left its last. */
async function foldItems(tx: Tx, projectId: string, changes: readonly Change[]): Promise<Sums> {
  const items = new Map<string, NewRow<'usage_items'>>();
  for (const { kind, digest, size, links } of changes) {
    const key = `${kind} ${digest}`;
    const before = items.get(key);
    items.set(key, { project_id: projectId, kind, digest, size, links: links + (before?.links ?? 0) });
  }
  const rows = await tx
    .insertInto('usage_items')
    .values([...items.values()])
    .onConflict((conflict) =>
      conflict
        .columns(['project_id', 'kind', 'digest'])
        .doUpdateSet({ links: sql<number>`usage_items.links + excluded.links`, size: sql<number>`excluded.size` }),
    )
    .returning(['kind', 'digest', 'links', 'size'])
    .execute();
  const sums: Sums = { bytes: 0, blobs: 0, manifests: 0 };
  for (const { kind, digest, links: after, size } of rows) {
    const before = after - (items.get(`${kind} ${digest}`)?.links ?? 0);
    add(sums, kind, size, Number(after > 0) - Number(before > 0));
  }
  const gone = rows.filter(({ links }) => links === 0).map(({ digest }) => digest);
  if (gone.length > 0)
    await tx
      .deleteFrom('usage_items')
      .where('project_id', '=', projectId)
      .where('digest', 'in', gone)
      .where('links', '=', 0)
      .execute();
  return sums;
}

async function addToProject(tx: Tx, projectId: string, sums: Sums): Promise<void> {
  await tx
    .updateTable('project_usage')
    .set((eb) => ({
      bytes: eb('bytes', '+', sums.bytes),
      blobs: eb('blobs', '+', sums.blobs),
      manifests: eb('manifests', '+', sums.manifests),
    }))
    .where('project_id', '=', projectId)
    .execute();
}

async function foldRepositories(tx: Tx, projectId: string, changes: readonly Change[]): Promise<void> {
  const byRepository = new Map<string, Sums>();
  for (const { repository_id, kind, size, links } of changes) {
    const sums = byRepository.get(repository_id) ?? { bytes: 0, blobs: 0, manifests: 0 };
    add(sums, kind, size, links);
    byRepository.set(repository_id, sums);
  }
  const rows = [...byRepository].map(([repository_id, sums]) => ({ repository_id, project_id: projectId, ...sums }));
  await tx
    .insertInto('repository_usage')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('repository_id').doUpdateSet({
        bytes: sql<number>`repository_usage.bytes + excluded.bytes`,
        blobs: sql<number>`repository_usage.blobs + excluded.blobs`,
        manifests: sql<number>`repository_usage.manifests + excluded.manifests`,
      }),
    )
    .execute();
}

function add(sums: Sums, kind: string, size: number, links: number): void {
  sums.bytes += size * links;
  if (kind === 'blob') sums.blobs += links;
  else sums.manifests += links;
}
