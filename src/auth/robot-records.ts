import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { EVERYWHERE } from './principal.ts';
import { isCounting, type Robot, type RobotRecord, readGrants, stateOf } from './robot.ts';

/** The robot of that login name; undefined when there is none. Two queries. */
export async function findRobot(db: Db, name: string): Promise<RobotRecord | undefined> {
  const row = await db.selectFrom('robots').selectAll().where('name', '=', name).executeTakeFirst();
  return row && (await recordsOf(db, [row]))[0];
}

/** Robots by name: of one project, or all of the installation. */
export async function listRobots(db: Db, projectId: string | undefined): Promise<RobotRecord[]> {
  let query = db.selectFrom('robots').selectAll().orderBy('name');
  if (projectId !== undefined) query = query.where('project_id', '=', projectId);
  return recordsOf(db, await query.execute());
}

async function recordsOf(db: Db, rows: readonly Row<'robots'>[]): Promise<RobotRecord[]> {
  if (rows.length === 0) return [];
  const found = await db
    .selectFrom('robots')
    .innerJoin('users', 'users.id', 'robots.owner_id')
    .leftJoin('robot_secrets', 'robot_secrets.robot_id', 'robots.id')
    .select([
      'robots.id as robotId',
      'users.id as userId',
      'users.name as userName',
      'users.admin',
      'users.disabled',
      'robot_secrets.id',
      'robot_secrets.hash',
      'robot_secrets.created_at',
      'robot_secrets.ends_at',
    ])
    .where(
      'robots.id',
      'in',
      rows.map(({ id }) => id),
    )
    .execute();
  const byRobot = Map.groupBy(found, ({ robotId }) => robotId);
  return rows.flatMap((row) => {
    const lines = byRobot.get(row.id);
    const [first] = lines ?? [];
    if (!lines || !first) return [];
    const secrets = lines.flatMap(({ id, hash, created_at, ends_at }) =>
      id === null || hash === null || created_at === null ? [] : [{ id, robot_id: row.id, hash, created_at, ends_at }],
    );
    return [
      {
        row,
        owner: { id: first.userId, name: first.userName, admin: first.admin === 1 },
        ownerDisabled: first.disabled === 1,
        grants: readGrants(row.grants),
        secrets: secrets.sort((a, b) => a.created_at - b.created_at),
      },
    ];
  });
}

/** Names of projects by id, for everything these robots were given. Projects that are gone have none. */
export async function projectNames(db: Db, records: readonly RobotRecord[]): Promise<ReadonlyMap<string, string>> {
  const ids = new Set(
    records.flatMap(({ row, grants }) => [...grants.keys(), ...(row.project_id ? [row.project_id] : [])]),
  );
  ids.delete(EVERYWHERE);
  if (ids.size === 0) return new Map();
  const rows = await db
    .selectFrom('projects')
    .select(['id', 'name'])
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** A robot as it is shown. */
export function viewRobot(record: RobotRecord, names: ReadonlyMap<string, string>, now: number): Robot {
  const { row, owner, grants, secrets } = record;
  const project = row.project_id === null ? undefined : names.get(row.project_id);
  return {
    name: row.name,
    ...(project === undefined ? {} : { project }),
    owner: owner.name,
    description: row.description,
    scopes: [...grants].flatMap(([id, permissions]) => {
      const name = id === EVERYWHERE ? EVERYWHERE : names.get(id);
      return name === undefined ? [] : [{ project: name, permissions: [...permissions] }];
    }),
    state: stateOf(record, now),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
    createdAt: row.created_at,
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
    secrets: secrets
      .filter((secret) => isCounting(secret, now))
      .map(({ created_at, ends_at }) => ({ createdAt: created_at, ...(ends_at === null ? {} : { endsAt: ends_at }) })),
  };
}
