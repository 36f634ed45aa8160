import type { Db } from '../db/database.ts';
import { AuthError } from './errors.ts';
import { isAllowed, type Permission, type ProjectAccess, ROLES } from './permissions.ts';
import { nameOf, type Principal } from './principal.ts';

export interface Access {
  /** What is needed to decide about a project; undefined when there is none of that name. */
  projectAccess(principal: Principal, project: string): Promise<ProjectAccess | undefined>;
  may(principal: Principal, permission: Permission, project?: string): Promise<boolean>;
  /** All rights of somebody about projects as they are now, for many questions at once. */
  rightsOf(principal: Principal): Promise<(permission: Permission, project: string) => boolean>;
  /** Throws `AuthError`: `unauthenticated` for nobody in particular, `denied` for somebody. */
  require(principal: Principal, permission: Permission, project?: string): Promise<void>;
}

/** Joins the permission table with who is a member where. */
export function createAccess(deps: { readonly db: Db }): Access {
  const projects = (principal: Principal) =>
    deps.db
      .selectFrom('projects as p')
      .leftJoin('members as m', (join) =>
        join.onRef('m.project_id', '=', 'p.id').on('m.user_id', '=', principal.kind === 'user' ? principal.id : ''),
      )
      .select(['p.name', 'p.public', 'm.role']);

  async function projectAccess(principal: Principal, project: string): Promise<ProjectAccess | undefined> {
    const row = await projects(principal).where('p.name', '=', project).executeTakeFirst();
    return row && asAccess(row);
  }

  async function may(principal: Principal, permission: Permission, project?: string): Promise<boolean> {
    if (principal.kind === 'user' && principal.admin) return true;
    if (project === undefined) return isAllowed(principal, permission);
    return isAllowed(principal, permission, await projectAccess(principal, project));
  }

  return {
    projectAccess,
    may,
    async rightsOf(principal) {
      const rows = await projects(principal).execute();
      const known = new Map(rows.map((row) => [row.name, asAccess(row)]));
      return (permission, project) => isAllowed(principal, permission, known.get(project));
    },
    async require(principal, permission, project) {
      if (await may(principal, permission, project)) return;
      if (principal.kind === 'anonymous') throw new AuthError('unauthenticated', 'log in first: breakwater login');
      const where = project === undefined ? '' : ` in project "${project.slice(0, 100)}"`;
      throw new AuthError(
        'denied',
        `${nameOf(principal)} may not do this${where}; it needs the permission ${permission}`,
      );
    },
  };
}

function asAccess(row: { readonly public: number; readonly role: string | null }): ProjectAccess {
  const role = ROLES.find((known) => known === row.role);
  return { public: row.public === 1, ...(role ? { role } : {}) };
}
