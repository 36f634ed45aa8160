import type { User, UserStore } from '../auth/user-store.ts';
import { toRfc3339 } from '../platform/clock.ts';
import type { MemberStore } from '../projects/member-store.ts';
import type { Member, Project } from '../projects/project.ts';
import type { Line } from './lines.ts';

/** Projects with their members, and accounts with their roles: the same facts from both sides, no secrets. */
export async function readPeople(
  deps: { readonly users: Pick<UserStore, 'list'>; readonly members: Pick<MemberStore, 'list'> },
  projects: readonly Project[],
): Promise<{ readonly projects: Line<'projects'>[]; readonly users: Line<'users'>[] }> {
  const roles = new Map<string, Line<'users'>['roles']>();
  const lines: Line<'projects'>[] = [];
  for (const project of projects) {
    const members = await deps.members.list(project);
    for (const { user, role } of members) {
      const known = roles.get(user) ?? [];
      roles.set(user, [...known, { project: project.name, role }]);
    }
    lines.push(projectLine(project, members));
  }
  return {
    projects: lines,
    users: (await deps.users.list()).map((user) => userLine(user, roles.get(user.name) ?? [])),
  };
}

function projectLine(project: Project, members: readonly Member[]): Line<'projects'> {
  const { name, createdBy, createdAt, upstream } = project;
  return {
    name,
    public: project.public,
    createdBy,
    createdAt: toRfc3339(createdAt),
    ...(upstream === undefined ? {} : { upstream: { ...upstream } }),
    members: members.map(({ user, role }) => ({ user, role })),
  };
}

function userLine({ name, admin, disabled, createdAt }: User, roles: Line<'users'>['roles']): Line<'users'> {
  return { name, administrator: admin, disabled, createdAt: toRfc3339(createdAt), roles };
}
