import type { Db } from '../db/database.ts';
import { appendToLedger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { newId, newSecret } from '../platform/ids.ts';
import { AuthError } from './errors.ts';
import { createPasswordVerifier, hashPassword } from './passwords.ts';
import { nameOf, type Principal } from './principal.ts';
import { createThrottle } from './throttle.ts';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** Epoch ms. */
  readonly createdAt: number;
}

export interface UserStore {
  /** Throws `AuthError`: invalid, user_exists. */
  create(
    by: Principal,
    user: { readonly name: string; readonly password: string; readonly admin: boolean },
  ): Promise<User>;
  list(): Promise<User[]>;
  find(name: string): Promise<User | undefined>;
  /** The principal behind a name and password; undefined when they do not match. Throws `throttled`. */
  authenticate(name: string, password: string, address?: string): Promise<Principal | undefined>;
  /** The principal of that name as it is now; undefined when it is gone or disabled. */
  byName(name: string): Promise<Principal | undefined>;
  setPassword(by: Principal, name: string, password: string): Promise<void>;
  setDisabled(by: Principal, name: string, disabled: boolean): Promise<void>;
  /** Makes the first user, `admin`, when there is none; gives its password if it had to be invented. */
  bootstrap(password?: string): Promise<{ readonly created: boolean; readonly password?: string }>;
}

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
const FIRST_USER = 'admin';
const SYSTEM: Principal = { kind: 'user', id: 'system', name: 'system', admin: true };

export function createUserStore(deps: { readonly db: Db; readonly clock: Clock }): UserStore {
  const { db, clock } = deps;
  const passwords = createPasswordVerifier(clock);
  const throttle = createThrottle(clock);

  const users = () => db.selectFrom('users').select(['id', 'name', 'admin', 'disabled', 'created_at', 'password_hash']);

  async function update(
    by: Principal,
    name: string,
    action: string,
    values: { password_hash?: string; disabled?: 0 | 1 },
  ) {
    await db.transaction().execute(async (tx) => {
      const result = await tx.updateTable('users').set(values).where('name', '=', name).executeTakeFirst();
      if (result.numUpdatedRows === 0n) throw unknown(name);
      await appendToLedger(tx, clock, { actor: nameOf(by), action, target: name });
    });
  }

  async function create(by: Principal, user: { name: string; password: string; admin: boolean }): Promise<User> {
    if (!NAME.test(user.name))
      throw new AuthError(
        'invalid',
        `"${user.name.slice(0, 80)}" cannot be a user name; use a-z, 0-9 and . _ - inside, at most 64`,
      );
    const password_hash = await hashPassword(user.password);
    const row = {
      id: newId(),
      name: user.name,
      admin: user.admin ? 1 : 0,
      disabled: 0,
      created_at: clock.now(),
    } as const;
    await db.transaction().execute(async (tx) => {
      const result = await tx
        .insertInto('users')
        .values({ ...row, password_hash })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst();
      if (!result.numInsertedOrUpdatedRows)
        throw new AuthError('user_exists', `there is a user "${user.name}" already`);
      await appendToLedger(tx, clock, {
        actor: nameOf(by),
        action: 'user.create',
        target: user.name,
        details: { admin: user.admin },
      });
    });
    return asUser(row);
  }

  return {
    create,
    async list() {
      return (await users().orderBy('name').execute()).map(asUser);
    },
    async find(name) {
      const row = await users().where('name', '=', name).executeTakeFirst();
      return row && asUser(row);
    },
    async authenticate(name, password, address = '') {
      const key = `${address} ${name}`;
      throttle.check(key);
      const row = await users().where('name', '=', name).executeTakeFirst();
      const right = await passwords.matches(row?.password_hash, password);
      if (right && row && row.disabled === 0) return asPrincipal(row);
      throttle.failed(key);
      return undefined;
    },
    async byName(name) {
      const row = await users().where('name', '=', name).where('disabled', '=', 0).executeTakeFirst();
      return row && asPrincipal(row);
    },
    async setPassword(by, name, password) {
      await update(by, name, 'user.password', { password_hash: await hashPassword(password) });
    },
    async setDisabled(by, name, disabled) {
      await update(by, name, disabled ? 'user.disable' : 'user.enable', { disabled: disabled ? 1 : 0 });
    },
    async bootstrap(given) {
      const any = await db.selectFrom('users').select('id').limit(1).executeTakeFirst();
      if (any) return { created: false };
      const password = given ?? newSecret(18);
      await create(SYSTEM, { name: FIRST_USER, password, admin: true });
      return given === undefined ? { created: true, password } : { created: true };
    },
  };
}

function asUser(row: { id: string; name: string; admin: number; disabled: number; created_at: number }): User {
  return {
    id: row.id,
    name: row.name,
    admin: row.admin === 1,
    disabled: row.disabled === 1,
    createdAt: row.created_at,
  };
}

function asPrincipal(row: { id: string; name: string; admin: number }): Principal {
  return { kind: 'user', id: row.id, name: row.name, admin: row.admin === 1 };
}

function unknown(name: string): AuthError {
  return new AuthError('user_unknown', `there is no user "${name.slice(0, 80)}"; see: breakwater user list`);
}
