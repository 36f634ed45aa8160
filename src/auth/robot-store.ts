import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger, LedgerNote } from '../ledger/ledger.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import type { AccessControl } from './access.ts';
import { AuthError } from './errors.ts';
import { isAllowed, type Permission } from './permissions.ts';
import { actorOf, EVERYWHERE, nameOf, type Principal } from './principal.ts';
import {
  checkDescription,
  checkScopes,
  isCounting,
  labelOf,
  loginNameOf,
  newLoginName,
  type Robot,
  type RobotRecord,
  type RobotScope,
} from './robot.ts';
import { findRobot, listRobots, projectNames, viewRobot } from './robot-records.ts';
import { hashRobotSecret, newRobotSecret } from './robot-secret.ts';
import type { SecretBox } from './secret-box.ts';

export interface RobotStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly box: Pick<SecretBox, 'mac'>;
  readonly access: Pick<AccessControl, 'requireIn' | 'allowed'>;
}

/** Where robots are managed: in a project, or in the installation. Who may is asked before. */
export type RobotHome = { readonly id: string; readonly name: string } | undefined;

/** A robot with the secret it has from now on, which nobody can see again. */
export interface IssuedRobot {
  readonly robot: Robot;
  readonly secret: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const USUAL_DAYS = 90;
const MOST_DAYS = 365;
const USUAL_OVERLAP_HOURS = 24;

/** Keeps the accounts of machines. Every change is in the ledger under `by`, without secrets. */
export type RobotStore = ReturnType<typeof createRobotStore>;

export function createRobotStore(deps: RobotStoreDeps) {
  const { db, clock, ledger, box } = deps;

  async function find(home: RobotHome, label: string): Promise<RobotRecord> {
    const found = await findRobot(db, loginNameOf(label));
    if (!found || (found.row.project_id ?? undefined) !== home?.id) throw unknown(label);
    return found;
  }

  async function view(record: RobotRecord): Promise<Robot> {
    return viewRobot(record, await projectNames(db, [record]), clock.now());
  }

  /** Whoever gets hold of a robot's secret has its rights, so they must have had them before. */
  async function requireItsRights(by: Principal, record: RobotRecord): Promise<void> {
    const { row, grants } = record;
    const names = await projectNames(db, [record]);
    for (const [id, permissions] of grants) {
      const name = id === EVERYWHERE ? undefined : names.get(id);
      if (id !== EVERYWHERE && name === undefined) continue;
      if (id === EVERYWHERE && !(by.kind === 'user' && by.admin)) throw exceeds(by, row.name, [...permissions], id);
      for (const permission of permissions)
        if (!(await deps.access.allowed(by, permission, name))) throw exceeds(by, row.name, [permission], name ?? id);
    }
  }

  /** Changes one robot: holds its row first, so that of two changes at once the second sees the first. */
  async function change<Result>(
    by: Principal,
    home: RobotHome,
    label: string,
    make: (
      tx: Tx,
      record: RobotRecord,
    ) => Promise<Pick<LedgerNote, 'action' | 'details'> & { readonly result: Result }>,
    checked?: RobotRecord,
  ): Promise<Result> {
    return db.transaction().execute(async (tx) => {
      const name = loginNameOf(label);
      await tx
        .updateTable('robots')
        .set({ disabled: sql.ref('disabled') })
        .where('name', '=', name)
        .execute();
      const record = await findRobot(tx, name);
      if (!record || (record.row.project_id ?? undefined) !== home?.id) throw unknown(label);
      // Made anew under the same name meanwhile: its rights were not looked at.
      if (checked && checked.row.id !== record.row.id) throw unknown(label);
      const { result, ...note } = await make(tx, record);
      await ledger.append(tx, { ...note, actor: actorOf(by), ...targetOf(name, home) });
      return result;
    });
  }

  async function addSecret(tx: Tx, robotId: string): Promise<{ readonly id: string; readonly secret: string }> {
    const [id, secret] = [newId(), newRobotSecret()];
    await tx
      .insertInto('robot_secrets')
      .values({ id, robot_id: robotId, hash: hashRobotSecret(box, secret), created_at: clock.now(), ends_at: null })
      .execute();
    return { id, secret };
  }

  return {
    /**
     * Makes a robot with its first secret; `by` answers for it. `days` until it expires, 90 unless told, `null` = never: that, and more than a year,
     * only for administrators. Throws `AuthError` `robot_invalid`, `robot_exists`, and what `AccessControl.requireIn` throws
     * for a right that `by` does not have.
     */
    async create(
      by: Principal,
      home: RobotHome,
      input: {
        readonly name: string;
        readonly description?: string;
        readonly scopes: readonly RobotScope[];
        readonly days?: number | null;
      },
    ): Promise<IssuedRobot> {
      if (by.kind !== 'user') throw new AuthError('denied', `${nameOf(by)} is no person; a person makes robots`);
      const name = newLoginName(input.name, home?.name);
      const grants: Record<string, readonly Permission[]> = {};
      for (const [project, permissions] of checkScopes(input.scopes)) {
        if (project === EVERYWHERE && !by.admin) throw exceeds(by, name, permissions, project);
        for (const permission of permissions) {
          const id = project === EVERYWHERE ? project : (await deps.access.requireIn(by, permission, project)).id;
          grants[id] = permissions;
        }
      }
      const row: Row<'robots'> = {
        id: newId(),
        name,
        project_id: home?.id ?? null,
        owner_id: by.id,
        description: checkDescription(input.description ?? ''),
        grants: JSON.stringify(grants),
        disabled: 0,
        expires_at: expiryOf(by, input.days, clock.now()),
        created_at: clock.now(),
        last_used_at: null,
      };
      const secret = await db.transaction().execute(async (tx) => {
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto('robots')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows === 0n)
          throw new AuthError('robot_exists', `there is a robot "${labelOf(name)}" already; choose another name`);
        const added = await addSecret(tx, row.id);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'robot.create',
          ...targetOf(name, home),
          details: {
            id: row.id,
            description: row.description,
            scopes: input.scopes,
            expiresAt: timeOf(row.expires_at),
            secret: added.id,
          },
        });
        return added.secret;
      });
      return { robot: await view(await find(home, name)), secret };
    },

    /** By name: of a project, or all there are. */
    async list(home: RobotHome): Promise<Robot[]> {
      const records = await listRobots(db, home?.id);
      const names = await projectNames(db, records);
      return records.map((record) => viewRobot(record, names, clock.now()));
    },

    /** Throws `AuthError('robot_unknown')`. */
    async get(home: RobotHome, label: string): Promise<Robot> {
      return view(await find(home, label));
    },

    /**
     * Gives it a second secret; the first one counts for `overlapHours` more (24 unless told), with 0 no secret but the new one does. With
     * `days` it also expires anew. Throws `AuthError` `robot_unknown`, `rights_exceeded`, or `rotation_open` while two count.
     */
    async rotate(
      by: Principal,
      home: RobotHome,
      label: string,
      { overlapHours = USUAL_OVERLAP_HOURS, days }: { readonly overlapHours?: number; readonly days?: number | null },
    ): Promise<IssuedRobot> {
      const found = await find(home, label);
      await requireItsRights(by, found);
      const make = async (tx: Tx, { row, secrets }: RobotRecord) => {
        const now = clock.now();
        const counting = secrets.filter((one) => isCounting(one, now));
        const open = counting.find(({ ends_at }) => ends_at !== null);
        if (open && overlapHours > 0)
          throw new AuthError(
            'rotation_open',
            `two secrets of ${row.name} count until ${timeOf(open.ends_at)}; finish that rotation first, or rotate with an overlap of 0 to end both`,
          );
        const endsAt = overlapHours > 0 ? now + overlapHours * HOUR_MS : now;
        await tx
          .updateTable('robot_secrets')
          .set({ ends_at: endsAt })
          .where('robot_id', '=', row.id)
          .where((where) => where.or([where('ends_at', 'is', null), where('ends_at', '>', endsAt)]))
          .execute();
        await dropEnded(tx, row.id, now);
        const added = await addSecret(tx, row.id);
        const expiresAt = days === undefined ? row.expires_at : expiryOf(by, days, now);
        if (days !== undefined)
          await tx.updateTable('robots').set({ expires_at: expiresAt }).where('id', '=', row.id).execute();
        return {
          action: 'robot.rotate',
          details: {
            secret: added.id,
            before: counting.map(({ id }) => id),
            overlapUntil: timeOf(endsAt),
            ...(days === undefined ? {} : { expiresAt: timeOf(expiresAt) }),
          },
          result: added.secret,
        };
      };
      const secret = await change(by, home, label, make, found);
      return { robot: await view(await find(home, label)), secret };
    },

    /** Ends the older secret now. Throws `AuthError('robot_invalid')` when only one counts. */
    async finishRotation(by: Principal, home: RobotHome, label: string): Promise<Robot> {
      await change(by, home, label, async (tx, { row, secrets }) => {
        const now = clock.now();
        const older = secrets.filter((one) => one.ends_at !== null && isCounting(one, now));
        if (older.length === 0)
          throw new AuthError('robot_invalid', `only one secret of ${row.name} counts; there is nothing to finish`);
        await tx.deleteFrom('robot_secrets').where('robot_id', '=', row.id).where('ends_at', 'is not', null).execute();
        const details = { before: older.map(({ id }) => id), after: 'ended' };
        return { action: 'robot.finish-rotation', details, result: undefined };
      });
      return view(await find(home, label));
    },

    /** Lets it log in no more, or again, for which one must have all its rights. Throws `AuthError` `robot_unknown`, `rights_exceeded`. */
    async setDisabled(by: Principal, home: RobotHome, label: string, disabled: boolean): Promise<void> {
      if (!disabled) await requireItsRights(by, await find(home, label));
      await change(by, home, label, async (tx, { row }) => {
        await tx
          .updateTable('robots')
          .set({ disabled: disabled ? 1 : 0 })
          .where('id', '=', row.id)
          .execute();
        const details = { before: row.disabled === 1, after: disabled };
        return { action: disabled ? 'robot.disable' : 'robot.enable', details, result: undefined };
      });
    },

    /** From now on `by` answers for it, who must have all its rights. Throws `AuthError` `robot_unknown`, `rights_exceeded`. */
    async adopt(by: Principal, home: RobotHome, label: string): Promise<Robot> {
      if (by.kind !== 'user') throw new AuthError('denied', `${nameOf(by)} is no person; a person answers for robots`);
      const found = await find(home, label);
      await requireItsRights(by, found);
      const make = async (tx: Tx, { row, owner }: RobotRecord) => {
        await tx.updateTable('robots').set({ owner_id: by.id }).where('id', '=', row.id).execute();
        return { action: 'robot.adopt', details: { before: owner.name, after: by.name }, result: undefined };
      };
      await change(by, home, label, make, found);
      return view(await find(home, label));
    },

    /** Deletes it with its secrets; its name may be given again, its lines in the ledger stay. */
    async remove(by: Principal, home: RobotHome, label: string): Promise<void> {
      await change(by, home, label, async (tx, { row, owner }) => {
        await tx.deleteFrom('robot_secrets').where('robot_id', '=', row.id).execute();
        await tx.deleteFrom('robots').where('id', '=', row.id).execute();
        return { action: 'robot.delete', details: { id: row.id, owner: owner.name }, result: undefined };
      });
    },
  };
}

async function dropEnded(tx: Tx, robotId: string, now: number): Promise<void> {
  await tx.deleteFrom('robot_secrets').where('robot_id', '=', robotId).where('ends_at', '<=', now).execute();
}

function expiryOf(by: Principal, days: number | null | undefined, now: number): number | null {
  const wanted = days === undefined ? USUAL_DAYS : days;
  const administrator = isAllowed(by, 'user:manage');
  if (wanted === null && !administrator)
    throw new AuthError(
      'robot_invalid',
      `only an administrator makes a robot that never expires; give days, like ${USUAL_DAYS}`,
    );
  if (wanted !== null && wanted > MOST_DAYS && !administrator)
    throw new AuthError('robot_invalid', `a robot may live ${MOST_DAYS} days; only an administrator may give it more`);
  return wanted === null ? null : now + wanted * DAY_MS;
}

function targetOf(name: string, home: RobotHome): { readonly target: string; readonly project?: string } {
  return { target: `robot/${labelOf(name)}`, ...(home ? { project: home.name } : {}) };
}

function timeOf(epochMs: number | null): string | null {
  return epochMs === null ? null : toRfc3339(epochMs);
}

function unknown(label: string): AuthError {
  return new AuthError('robot_unknown', `there is no robot "${label.slice(0, 340)}"; see: breakwater robot list`);
}

function exceeds(by: Principal, robot: string, permissions: readonly string[], project: string): AuthError {
  const where = project === EVERYWHERE ? 'everywhere' : `in ${project}`;
  return new AuthError(
    'rights_exceeded',
    `${robot} has, or is to have, ${permissions.join(', ')} ${where}, which ${nameOf(by)} does not have; ask somebody who has`,
  );
}
