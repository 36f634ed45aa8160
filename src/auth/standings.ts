import type { Db } from '../db/database.ts';
import { askedSeldom, cacheWhileUnchanged, type DatabaseState } from '../db/unchanged.ts';
import type { Clock } from '../platform/clock.ts';
import { asRole } from './access.ts';
import type { ProjectAccess } from './permissions.ts';
import { ANONYMOUS, EVERYWHERE, type Principal } from './principal.ts';
import type { RobotRecord } from './robot.ts';
import { isHolder, robotPrincipal } from './robot-logins.ts';
import { findRobot, projectNames } from './robot-records.ts';
import { isUserName, passwordMark, userPrincipal } from './user-store.ts';

/** Who somebody is now and what they are in every project. */
export interface Standing {
  readonly principal: Principal;
  /** What a decision about the project of that name needs to know. */
  accessTo(project: string): ProjectAccess;
}

/** Answers from memory what accounts are and may, for every request of the registry. */
export interface Standings {
  /**
   * Of the account that a token was given to, or of nobody for the empty name. Undefined when the account is gone, may not log in, or
   * what the token was given for does not count any more.
   */
  of(name: string, mark: string): Promise<Standing | undefined>;
}

/** What is remembered of an account; whether it counts is asked each time, because time alone can end it. */
interface Known {
  readonly principal: Principal;
  readonly places: ReadonlyMap<string, Omit<ProjectAccess, 'public'>>;
  counts(mark: string, now: number): boolean;
}

/** All that a standing rests on. */
export const STANDING_TABLES = ['users', 'projects', 'members', 'robots', 'robot_secrets'] as const;

/** Bytes kept, by a rough weight. */
const LIMIT = 16 * 1024 * 1024;
const WEIGHT_OF_ONE = 512;
const WEIGHT_OF_PLACE = 128;
/** Where looking at the state of the database takes a query. */
const ASK_EVERY_MS = 1000;
const NOWHERE = {};

/**
 * Keeps what was read for as long as nothing was committed: on SQLite a change counts with the next request, on PostgreSQL, where
 * one replica asks at most once a second whether there was one, within a second.
 */
export function createStandings(deps: {
  readonly db: Db;
  /** Of `STANDING_TABLES`. */
  readonly state: DatabaseState;
  readonly clock: Clock;
}): Standings {
  const { db, clock } = deps;
  const state = askedSeldom(deps.state, clock, ASK_EVERY_MS);
  const accounts = cacheWhileUnchanged<Known>(state, {
    limit: LIMIT,
    weigh: ({ places }) => WEIGHT_OF_ONE + places.size * WEIGHT_OF_PLACE,
  });
  const open = cacheWhileUnchanged<ReadonlySet<string>>(state, { limit: LIMIT, weigh: () => 0 });

  return {
    async of(name, mark) {
      const publicProjects = (await open.get('', () => publicNames(db))) ?? new Set();
      if (name === '') return standing(ANONYMOUS, new Map(), publicProjects);
      const known = await accounts.get(name, () => lookUp(db, name));
      return known?.counts(mark, clock.now()) ? standing(known.principal, known.places, publicProjects) : undefined;
    },
  };
}

function standing(principal: Principal, places: Known['places'], publicProjects: ReadonlySet<string>): Standing {
  return {
    principal,
    accessTo: (project) => ({ public: publicProjects.has(project), ...(places.get(project) ?? NOWHERE) }),
  };
}

async function publicNames(db: Db): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('projects').select('name').where('public', '=', 1).execute();
  return new Set(rows.map(({ name }) => name));
}

async function lookUp(db: Db, name: string): Promise<Known | undefined> {
  if (isUserName(name)) return lookUpUser(db, name);
  const record = await findRobot(db, name);
  return record && lookUpRobot(db, record);
}

async function lookUpUser(db: Db, name: string): Promise<Known | undefined> {
  const row = await db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
  if (!row) return undefined;
  const memberships = await db
    .selectFrom('members')
    .innerJoin('projects', 'projects.id', 'members.project_id')
    .select(['projects.name', 'members.role'])
    .where('members.user_id', '=', row.id)
    .execute();
  const mark = passwordMark(row);
  return {
    principal: userPrincipal(row),
    places: new Map(
      memberships.flatMap(({ name: project, role }) => {
        const known = asRole(role);
        return known ? [[project, { role: known }] as const] : [];
      }),
    ),
    counts: (given) => row.disabled === 0 && given === mark,
  };
}

async function lookUpRobot(db: Db, record: RobotRecord): Promise<Known> {
  const names = await projectNames(db, [record]);
  return {
    principal: robotPrincipal(record),
    places: new Map(
      [...record.grants].flatMap(([id, granted]) => {
        const name = id === EVERYWHERE ? undefined : names.get(id);
        return name === undefined ? [] : [[name, { granted }] as const];
      }),
    ),
    counts: (mark, now) => isHolder(record, mark, now),
  };
}
