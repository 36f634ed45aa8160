import type { Db, Tx } from '../db/database.ts';
import { type HeldRepository, lockRepository } from '../db/repository-lock.ts';
import { isRepositoryName } from '../oci/reference.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { RegistryError } from './errors.ts';
import type { ContentQuarantine } from './ports.ts';

export interface Repository {
  readonly id: string;
  readonly projectId: string;
  /** Full name, `front/alpine`. */
  readonly name: string;
}

/** What the functions that write content need. */
export interface ContentDeps {
  readonly db: Db;
  readonly clock: Clock;
  /** Absent: nothing is under quarantine. */
  readonly quarantine?: ContentQuarantine | undefined;
  /** Bytes that a project may hold when it has no quota of its own; absent: any number. */
  readonly defaultQuota?: number | undefined;
  /** Told when the usage of projects has many changes that were not folded yet; must return at once. */
  onUsageBacklog?(): void;
}

/** The repository of that full name, or undefined when nothing was ever stored in it. */
export async function findRepository(db: Db, name: string): Promise<Repository | undefined> {
  const row = await db
    .selectFrom('repositories')
    .select(['id', 'project_id as projectId', 'name'])
    .where('name', '=', name)
    .executeTakeFirst();
  return row;
}

/** The repository of that name, made now if its project exists. Throws `name_invalid` or `name_unknown`. */
export async function ensureRepository(deps: ContentDeps, name: string): Promise<Repository> {
  const known = await findRepository(deps.db, name);
  if (known) return known;
  const [projectName = '', ...path] = name.split('/');
  if (!isRepositoryName(name) || path.length === 0)
    throw new RegistryError('name_invalid', `"${name.slice(0, 100)}" is not a repository here; names are project/path`);
  const project = await deps.db.selectFrom('projects').select('id').where('name', '=', projectName).executeTakeFirst();
  if (!project)
    throw new RegistryError(
      'name_unknown',
      `project "${projectName}" does not exist; create it with: breakwater project create ${projectName}`,
    );
  await deps.db
    .insertInto('repositories')
    .values({ id: newId(), project_id: project.id, name, created_at: deps.clock.now() })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const created = await findRepository(deps.db, name);
  if (!created) throw new RegistryError('name_unknown', `repository "${name}" was deleted just now; push again`);
  return created;
}

/** Holds a repository for a change until the transaction ends. Throws `name_unknown` when it was deleted meanwhile. */
export async function requireRepository(tx: Tx, id: string): Promise<HeldRepository> {
  const held = await lockRepository(tx, id, 'change');
  if (!held) throw new RegistryError('name_unknown', 'the repository was deleted just now; push again');
  return held;
}

/** Repositories by name, bytewise, after `after`; at most `limit`. `projectId` narrows to one project. */
export async function listRepositories(
  db: Db,
  page: { readonly after: string; readonly limit: number; readonly projectId?: string },
): Promise<Repository[]> {
  let query = db
    .selectFrom('repositories')
    .select(['id', 'project_id as projectId', 'name'])
    .where('name', '>', page.after)
    .orderBy('name')
    .limit(page.limit);
  if (page.projectId !== undefined) query = query.where('project_id', '=', page.projectId);
  return query.execute();
}
