import { isAllowed, ROLES } from '../auth/permissions.ts';
import { actorOf, nameOf, type Principal } from '../auth/principal.ts';
import type { SecretBox } from '../auth/secret-box.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { type ImmutableTags, readImmutableTags } from '../policy/immutable-tags.ts';
import { selectionText } from '../policy/tag-selection.ts';
import { deleteContent, firstImmutableTag, firstRepositoryWithContent, reviewUntagged } from './content.ts';
import { ProjectError } from './errors.ts';
import {
  checkProjectName,
  checkUpstream,
  type NewProject,
  type NewUpstream,
  type Project,
  type Quota,
  shownQuota,
  storedQuota,
  type Untagged,
} from './project.ts';

export interface ProjectStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly box: SecretBox;
}

/** Keeps projects. Who may do what is asked before (`auth/access.ts`); every change is in the ledger under `by`. */
export type ProjectStore = ReturnType<typeof createProjectStore>;

export function createProjectStore(deps: ProjectStoreDeps) {
  const { db, clock, ledger, box } = deps;

  async function find(name: string): Promise<Project | undefined> {
    const row = await projects(db).where('p.name', '=', name).executeTakeFirst();
    return row && toProject(row);
  }

  async function get(name: string): Promise<Project> {
    const project = await find(name);
    if (!project) throw unknown(name);
    return project;
  }

  async function writeUpstream(tx: Tx, projectId: string, upstream: ReturnType<typeof checkUpstream>): Promise<void> {
    const { url, username = null, password, freshnessSeconds } = upstream;
    const secret = password === undefined ? null : box.seal(password, secretContext(projectId));
    const row = { project_id: projectId, url, username, secret, freshness_seconds: freshnessSeconds };
    await tx
      .insertInto('upstreams')
      .values(row)
      .onConflict((conflict) => conflict.column('project_id').doUpdateSet(row))
      .execute();
  }

  async function change(
    by: Principal,
    name: string,
    values: { readonly quota: number | null } | { readonly immutable_tags: string | null },
    details: Record<string, unknown>,
  ): Promise<void> {
    await db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('projects')
        .set(values)
        .where('name', '=', name)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw unknown(name);
      await ledger.append(tx, { actor: actorOf(by), action: 'project.update', target: `project/${name}`, details });
    });
  }

  return {
    /** Creates a project. Throws `ProjectError` `project_invalid`, `project_exists`, `upstream_invalid`. */
    async create(by: Principal, input: NewProject): Promise<Project> {
      checkProjectName(input.name);
      const upstream = input.upstream && checkUpstream(input.upstream);
      const row = {
        id: newId(),
        name: input.name,
        public: input.public === true ? 1 : 0,
        created_by: nameOf(by),
        created_at: clock.now(),
      } as const;
      await db.transaction().execute(async (tx) => {
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto('projects')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows === 0n)
          throw new ProjectError('project_exists', `there is a project "${row.name}" already`);
        if (upstream) await writeUpstream(tx, row.id, upstream);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'project.create',
          target: `project/${row.name}`,
          details: { public: row.public === 1, ...(upstream ? { upstream: shown(upstream) } : {}) },
        });
      });
      return get(row.name);
    },

    /** Undefined when there is none of that name. */
    find,
    /** Throws `ProjectError('project_unknown')`. */
    get,

    /** The projects that the principal may read, by name. */
    async list(principal: Principal): Promise<Project[]> {
      const userId = principal.kind === 'user' ? principal.id : '';
      const grants = principal.kind === 'robot' ? principal.grants : undefined;
      const rows = await projects(db)
        .leftJoin('members as m', (join) => join.onRef('m.project_id', '=', 'p.id').on('m.user_id', '=', userId))
        .select('m.role')
        .orderBy('p.name')
        .execute();
      return rows
        .filter((row) => {
          const role = ROLES.find((known) => known === row.role);
          const granted = grants?.get(row.id);
          return isAllowed(principal, 'project:read', {
            public: row.public === 1,
            ...(role ? { role } : {}),
            ...(granted ? { granted } : {}),
          });
        })
        .map(toProject);
    },

    /** Opens the project to everybody, or closes it again. */
    async setPublic(by: Principal, name: string, isPublic: boolean): Promise<Project> {
      const before = await get(name);
      await db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('projects')
          .set({ public: isPublic ? 1 : 0 })
          .where('name', '=', name)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw unknown(name);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'project.update',
          target: `project/${name}`,
          details: { setting: 'public', before: before.public, after: isPublic },
        });
      });
      return get(name);
    },

    /** Keeps manifests that nothing refers to, as at first, or has garbage collection delete them. */
    async setUntagged(by: Principal, name: string, untagged: Untagged): Promise<Project> {
      const { id, untagged: before } = await get(name);
      await db.transaction().execute(async (tx) => {
        await tx
          .updateTable('projects')
          .set({ delete_untagged: untagged === 'delete' ? 1 : 0 })
          .where('id', '=', id)
          .execute();
        if (untagged === 'delete') await reviewUntagged(tx, id, clock.now());
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'project.update',
          target: `project/${name}`,
          details: { setting: 'untagged', before, after: untagged },
        });
      });
      return get(name);
    },

    /** Says how much a project may hold; what it holds already stays. Throws `quota_invalid`. */
    async setQuota(by: Principal, name: string, quota: Quota): Promise<Project> {
      const details = { setting: 'quota', before: (await get(name)).quota, after: quota };
      await change(by, name, { quota: storedQuota(quota) }, details);
      return get(name);
    },

    /** Says which tags stay where they were first pushed; none of the rules: no tag does. */
    async setImmutableTags(by: Principal, name: string, rules: ImmutableTags): Promise<Project> {
      const stored = rules.length === 0 ? null : JSON.stringify(rules);
      const before = (await get(name)).immutableTags.map(selectionText);
      const details = { setting: 'immutable-tags', before, after: rules.map(selectionText) };
      await change(by, name, { immutable_tags: stored }, details);
      return get(name);
    },

    /** Sets or replaces the upstream; undefined makes the mirror an ordinary project. Throws `upstream_invalid`. */
    async setUpstream(by: Principal, name: string, wanted: NewUpstream | undefined): Promise<Project> {
      const upstream = wanted && checkUpstream(wanted);
      const { id, upstream: before = null } = await get(name);
      await db.transaction().execute(async (tx) => {
        if (upstream) await writeUpstream(tx, id, upstream);
        else await tx.deleteFrom('upstreams').where('project_id', '=', id).execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: upstream ? 'project.set-upstream' : 'project.remove-upstream',
          target: `project/${name}`,
          details: { before, after: upstream ? shown(upstream) : null },
        });
      });
      return get(name);
    },

    /**
     * Deletes a project. Throws `project_not_empty` while it holds manifests, unless forced: then they go too, and their
     * blobs are left to garbage collection; `project_immutable` also then while a tag is immutable. Its policies and exceptions stay as evidence.
     */
    async remove(by: Principal, name: string, options: { readonly force?: boolean } = {}): Promise<void> {
      const { id } = await get(name);
      await db.transaction().execute(async (tx) => {
        const used = await firstRepositoryWithContent(tx, id);
        if (used !== undefined && options.force !== true)
          throw new ProjectError(
            'project_not_empty',
            `project "${name}" holds images in ${used}; delete them first, or force it`,
          );
        const immutable = await firstImmutableTag(tx, id);
        if (immutable !== undefined)
          throw new ProjectError(
            'project_immutable',
            `project "${name}" holds the immutable tag ${immutable}; take its rules away first: breakwater project immutable ${name} --off`,
          );
        await deleteContent(tx, id, clock.now());
        await tx
          .deleteFrom('robot_secrets')
          .where('robot_id', 'in', tx.selectFrom('robots').select('id').where('project_id', '=', id))
          .execute();
        for (const table of ['members', 'upstreams', 'robots', 'retention_rules', 'retention_runs'] as const)
          await tx.deleteFrom(table).where('project_id', '=', id).execute();
        await tx.deleteFrom('projects').where('id', '=', id).execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'project.delete',
          target: `project/${name}`,
          details: { id, forced: used !== undefined },
        });
      });
    },
  };
}

/** What the secret of an upstream is sealed for: it opens for this project only. */
export function secretContext(projectId: string): string {
  return `upstream/${projectId}`;
}

function projects(db: Db) {
  return db
    .selectFrom('projects as p')
    .leftJoin('upstreams as u', 'u.project_id', 'p.id')
    .select([
      'p.id',
      'p.name',
      'p.public',
      'p.delete_untagged',
      'p.quota',
      'p.immutable_tags',
      'p.created_by',
      'p.created_at',
      'u.url',
      'u.username',
      'u.freshness_seconds',
    ]);
}

interface ProjectRow {
  readonly id: string;
  readonly name: string;
  readonly public: number;
  readonly delete_untagged: number;
  readonly quota: number | null;
  readonly immutable_tags: string | null;
  readonly created_by: string;
  readonly created_at: number;
  readonly url: string | null;
  readonly username: string | null;
  readonly freshness_seconds: number | null;
}

function toProject({
  id,
  name,
  created_by,
  created_at,
  url,
  username,
  freshness_seconds,
  ...row
}: ProjectRow): Project {
  const project = {
    id,
    name,
    public: row.public === 1,
    untagged: row.delete_untagged === 1 ? 'delete' : 'keep',
    quota: shownQuota(row.quota),
    immutableTags: readImmutableTags(row.immutable_tags),
    createdBy: created_by,
    createdAt: created_at,
  } as const;
  if (url === null || freshness_seconds === null) return project;
  const upstream = { url, freshnessSeconds: freshness_seconds, ...(username === null ? {} : { username }) };
  return { ...project, upstream };
}

function shown({ url, username, freshnessSeconds }: NewUpstream): Record<string, unknown> {
  return { url, username, freshnessSeconds };
}

function unknown(name: string): ProjectError {
  return new ProjectError('project_unknown', `there is no project "${name.slice(0, 255)}"`);
}
