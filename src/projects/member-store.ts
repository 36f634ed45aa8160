import { ROLES, type Role } from '../auth/permissions.ts';
import { actorOf, type Principal } from '../auth/principal.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { ProjectError } from './errors.ts';
import type { Member } from './project.ts';

type ProjectKey = { readonly id: string; readonly name: string };

/** Keeps who is what in which project. Every change is in the ledger under `by`. */
export type MemberStore = ReturnType<typeof createMemberStore>;

export function createMemberStore(deps: { readonly db: Db; readonly clock: Clock; readonly ledger: Ledger }) {
  const { db, clock, ledger } = deps;

  async function userId(name: string): Promise<string> {
    const row = await db.selectFrom('users').select('id').where('name', '=', name).executeTakeFirst();
    if (!row) throw new ProjectError('member_unknown', `there is no user "${name.slice(0, 128)}"`);
    return row.id;
  }

  return {
    /** Members by name. */
    async list(project: ProjectKey): Promise<Member[]> {
      const rows = await db
        .selectFrom('members as m')
        .innerJoin('users as u', 'u.id', 'm.user_id')
        .select(['u.name', 'm.role'])
        .where('m.project_id', '=', project.id)
        .orderBy('u.name')
        .execute();
      return rows.flatMap(({ name, role }) => {
        const known = ROLES.find((one) => one === role);
        return known ? [{ user: name, role: known }] : [];
      });
    },

    /** Makes a user a member, or changes their role. Throws `ProjectError('member_unknown')` when there is no such user. */
    async set(by: Principal, project: ProjectKey, user: string, role: Role): Promise<void> {
      const row = { project_id: project.id, user_id: await userId(user), role, created_at: clock.now() };
      await db.transaction().execute(async (tx) => {
        const before = await roleOf(tx, row);
        await tx
          .insertInto('members')
          .values(row)
          .onConflict((conflict) => conflict.columns(['project_id', 'user_id']).doUpdateSet({ role }))
          .execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'member.set',
          target: `project/${project.name}`,
          details: { user, before, after: role },
        });
      });
    },

    /** Throws `ProjectError('member_unknown')` when the user is none. */
    async remove(by: Principal, project: ProjectKey, user: string): Promise<void> {
      const id = await userId(user);
      await db.transaction().execute(async (tx) => {
        const before = await roleOf(tx, { project_id: project.id, user_id: id });
        const { numDeletedRows } = await tx
          .deleteFrom('members')
          .where('project_id', '=', project.id)
          .where('user_id', '=', id)
          .executeTakeFirst();
        if (numDeletedRows === 0n)
          throw new ProjectError('member_unknown', `${user} is no member of project "${project.name}"`);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'member.remove',
          target: `project/${project.name}`,
          details: { user, before, after: null },
        });
      });
    },
  };
}

/** The role somebody has now; null when none. */
async function roleOf(tx: Tx, key: { readonly project_id: string; readonly user_id: string }): Promise<string | null> {
  const row = await tx
    .selectFrom('members')
    .select('role')
    .where('project_id', '=', key.project_id)
    .where('user_id', '=', key.user_id)
    .executeTakeFirst();
  return row?.role ?? null;
}
