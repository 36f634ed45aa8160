import type { Db } from '../db/database.ts';
import { AuthError } from './errors.ts';
import { isAllowed, type Permission, type ProjectAccess, ROLES, type Role } from './permissions.ts';
import { nameOf, type Principal } from './principal.ts';

/** A project as somebody sees it: what it is and what they are in it. */
export interface SeenProject extends ProjectAccess {
  readonly id: string;
  readonly name: string;
}

/** Answers who may do what, from the permission table and the members of projects. */
export type AccessControl = ReturnType<typeof createAccess>;

/** Prepares the answers over the database; each answer is read afresh, so a change of role counts at once. */
export function createAccess(deps: { readonly db: Db }) {
  const { db } = deps;

  /** Projects, each with the role a person has in it. */
  function rowsFor(principal: Principal) {
    return db
      .selectFrom('projects')
      .leftJoin('members', (join) =>
        join
          .onRef('members.project_id', '=', 'projects.id')
          .on('members.user_id', '=', principal.kind === 'user' ? principal.id : ''),
      )
      .select(['projects.id', 'projects.name', 'projects.public', 'members.role']);
  }

  async function see(principal: Principal, projectName: string): Promise<SeenProject | undefined> {
    const row = await rowsFor(principal).where('projects.name', '=', projectName).executeTakeFirst();
    return row && seenBy(principal, row);
  }

  async function allowed(principal: Principal, permission: Permission, projectName?: string): Promise<boolean> {
    if (projectName === undefined) return isAllowed(principal, permission);
    return isAllowed(principal, permission, await see(principal, projectName));
  }

  async function requireIn(principal: Principal, permission: Permission, projectName: string): Promise<SeenProject> {
    const project = await see(principal, projectName);
    if (project && isAllowed(principal, permission, project)) return project;
    if (principal.kind === 'anonymous') throw loginFirst(permission);
    // Whoever may not read a project does not learn that it exists.
    if (!project || !isAllowed(principal, 'project:read', project))
      throw new AuthError(
        'project_unknown',
        `there is no project "${projectName.slice(0, 255)}", or ${principal.name} may not see it`,
      );
    throw denied(principal, permission, `in project ${projectName}; ask an administrator of the project`);
  }

  async function heldIn(principal: Principal, permission: Permission): Promise<'all' | ReadonlySet<string>> {
    // Whoever holds it in a project they have nothing to do with holds it in all there are and will be.
    if (isAllowed(principal, permission, { public: false })) return 'all';
    const rows = await rowsFor(principal).execute();
    const held = rows.filter((row) => isAllowed(principal, permission, seenBy(principal, row)));
    return new Set(held.map(({ name }) => name));
  }

  return {
    /** Names of the projects in which the permission is held; `all` when that goes without looking. */
    heldIn,
    /** The project with the principal's role in it, whether they may read it or not; undefined when there is none. */
    see,
    /** True when the permission is held, for a project by its name or for the whole installation. */
    allowed,
    /**
     * Gives the project when the permission is held in it. Throws `AuthError`: `unauthenticated` for anonymous callers,
     * `project_unknown` also for projects that are hidden from the caller, `denied` otherwise.
     */
    requireIn,
    /** The same for permissions over the whole installation. */
    require(principal: Principal, permission: Permission): void {
      if (isAllowed(principal, permission)) return;
      if (principal.kind === 'anonymous') throw loginFirst(permission);
      throw denied(principal, permission, '; ask an administrator');
    },
  };
}

interface ProjectRow {
  readonly id: string;
  readonly name: string;
  readonly public: number;
  readonly role: string | null;
}

function seenBy(principal: Principal, { id, name, public: isPublic, role: text }: ProjectRow): SeenProject {
  const role = asRole(text);
  const granted = principal.kind === 'robot' ? principal.grants.get(id) : undefined;
  return { id, name, public: isPublic === 1, ...(role ? { role } : {}), ...(granted ? { granted } : {}) };
}

/** A role this version does not know gives nothing. */
export function asRole(text: string | null): Role | undefined {
  return ROLES.find((role) => role === text);
}

function loginFirst(permission: Permission): AuthError {
  return new AuthError('unauthenticated', `log in first: this needs the permission ${permission}`);
}

function denied(principal: Principal, permission: Permission, rest: string): AuthError {
  return new AuthError(
    'denied',
    `${nameOf(principal)} lacks the permission ${permission}${rest.startsWith(';') ? rest : ` ${rest}`}`,
  );
}
