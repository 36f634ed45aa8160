import type { Principal } from '../auth/principal.ts';
import type { Db } from '../db/database.ts';

/** The account that pushed something, by the name it was stored under; undefined when it is gone or was none. */
export async function pusherOf(db: Db, name: string): Promise<Principal | undefined> {
  const user = await db.selectFrom('users').select(['id', 'name']).where('name', '=', name).executeTakeFirst();
  if (user) return { kind: 'user', ...user, admin: false };
  const robot = await db
    .selectFrom('robots as r')
    .innerJoin('users as u', 'u.id', 'r.owner_id')
    .select(['r.id', 'r.name', 'u.id as owner_id', 'u.name as owner_name'])
    .where('r.name', '=', name)
    .executeTakeFirst();
  return (
    robot && {
      kind: 'robot',
      id: robot.id,
      name: robot.name,
      owner: { id: robot.owner_id, name: robot.owner_name, admin: false },
      grants: new Map(),
    }
  );
}
