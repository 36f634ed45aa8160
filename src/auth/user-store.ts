import { createHash } from 'node:crypto';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { newId, newSecret } from '../platform/ids.ts';
import { AuthError } from './errors.ts';
import { createLoginFailures, type LoginFailures } from './login-failures.ts';
import { createLoginThrottle, type LoginThrottle } from './login-throttle.ts';
import { createPasswordVerifier, hashPassword } from './passwords.ts';
import { accountsOfPerson, notePartedAccounts } from './persons.ts';
import { type Authenticated, actorOf, type Principal, personOf, SYSTEM } from './principal.ts';

/** A person's account. Accounts are never deleted or renamed, only disabled: their names stand in the ledger. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** Name of the account that stands for the person, where several are of one. */
  readonly person?: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

export interface UserStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Shared with the robots. */
  readonly throttle?: LoginThrottle;
  readonly failures?: LoginFailures;
}

const NAME = /^[a-z0-9]+(?:[._@-][a-z0-9]+)*$/;
const LONGEST_NAME = 128;
const RESERVED: ReadonlySet<string> = new Set(['anonymous', 'system']);
/** Stands for whoever asks, in addresses of the API. */
const SELF = 'current';
const FIRST_USER = 'admin';

/** Keeps accounts and checks passwords. Every change is in the ledger; `by` is who makes it. */
export type UserStore = ReturnType<typeof createUserStore>;

export function createUserStore(deps: UserStoreDeps) {
  const { db, clock, ledger } = deps;
  const passwords = createPasswordVerifier(deps);
  const { throttle = createLoginThrottle(deps), failures = createLoginFailures(deps) } = deps;

  async function rowOf(name: string): Promise<Row<'users'> | undefined> {
    if (!isUserName(name)) return undefined;
    return db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
  }

  async function change(by: Principal, name: string, action: string, set: Partial<Row<'users'>>): Promise<void> {
    await db.transaction().execute(async (tx) => {
      const before = await tx.selectFrom('users').select('disabled').where('name', '=', name).executeTakeFirst();
      if (!before) throw unknown(name);
      await tx.updateTable('users').set(set).where('name', '=', name).execute();
      const details = set.disabled === undefined ? {} : { before: before.disabled === 1, after: set.disabled === 1 };
      await ledger.append(tx, { actor: actorOf(by), action, target: `user/${name}`, details });
      const administrators = await tx
        .selectFrom('users')
        .select('id')
        .where('admin', '=', 1)
        .where('disabled', '=', 0)
        .limit(1)
        .execute();
      if (administrators.length === 0)
        throw new AuthError('last_administrator', `"${name}" is the last administrator; make another one first`);
    });
  }

  return {
    /** Creates an account. Throws `AuthError` `name_invalid`, `password_invalid`, `user_exists`. */
    async create(
      by: Principal,
      input: { readonly name: string; readonly password: string; readonly admin?: boolean },
    ): Promise<User> {
      const { name, password, admin = false } = input;
      if (!isUserName(name) || name === SELF)
        throw new AuthError(
          'name_invalid',
          `${JSON.stringify(name.slice(0, 140))} is not a user name: use at most ${LONGEST_NAME} lower-case letters, digits and single . _ @ - between them; anonymous, system and current are taken`,
        );
      const row: Row<'users'> = {
        id: newId(),
        name,
        password_hash: await hashPassword(password),
        admin: admin ? 1 : 0,
        disabled: 0,
        created_at: clock.now(),
        person: null,
      };
      await db.transaction().execute(async (tx) => {
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto('users')
          .values(row)
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows === 0n)
          throw new AuthError('user_exists', `there is a user "${name}" already; choose another name`);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'user.create',
          target: `user/${name}`,
          details: { admin },
        });
      });
      return toUser(row);
    },

    /** All accounts by name. */
    async list(): Promise<User[]> {
      return (await db.selectFrom('users').selectAll().orderBy('name').execute()).map(toUser);
    },

    async find(name: string): Promise<User | undefined> {
      const row = await rowOf(name);
      return row && toUser(row);
    },

    /**
     * Who this is, or undefined when name or password is wrong or the account is disabled: the same answer in the same time.
     * `address` is where the attempt comes from. Throws `AuthError('throttled')` after repeated failures.
     */
    async authenticate(name: string, password: string, address = ''): Promise<Authenticated | undefined> {
      const row = await rowOf(name);
      if (row && passwords.isRemembered(row.password_hash, password))
        return row.disabled ? undefined : authenticated(row);
      const wait = throttle.begin(name, address);
      if (wait > 0)
        throw new AuthError('throttled', `too many wrong passwords; try again in ${wait} s`, {
          retryAfterSeconds: wait,
        });
      const right = await passwords.verify(row?.password_hash, password);
      if (!row || !right || row.disabled) {
        const count = throttle.failures(name, address);
        await failures.note({ ...(row ? { target: `user/${name}` } : {}), address, count });
        return undefined;
      }
      throttle.succeeded(name, address);
      return authenticated(row);
    },

    /** The account as it is now, for a token that was given for the password with this mark; undefined when disabled or unknown. */
    async holderOf(name: string, mark: string): Promise<Authenticated | undefined> {
      const row = await rowOf(name);
      return row && !row.disabled && passwordMark(row) === mark ? authenticated(row) : undefined;
    },

    /** Sets a new password; every token given out before ends with it. */
    async setPassword(by: Principal, name: string, password: string): Promise<void> {
      await change(by, name, 'user.set-password', { password_hash: await hashPassword(password) });
    },

    /** Nobody logs in with this account any more, and its tokens and robots end. Not for the last administrator. */
    async disable(by: Principal, name: string): Promise<void> {
      await change(by, name, 'user.disable', { disabled: 1 });
    },

    async enable(by: Principal, name: string): Promise<void> {
      await change(by, name, 'user.enable', { disabled: 0 });
    },

    /**
     * Says that two accounts are of one person, with all that were linked to either before: they count as one wherever two people
     * are needed. Linking what is linked already changes nothing. Throws `AuthError` `user_unknown`, `link_invalid`.
     */
    async link(by: Principal, name: string, sameAs: string): Promise<void> {
      await db.transaction().execute(async (tx) => {
        const [one, other] = [await found(tx, name), await found(tx, sameAs)];
        const [from, to] = [one.person ?? one.name, other.person ?? other.name];
        if (name === sameAs)
          throw new AuthError('link_invalid', `"${name}" is one account; name the other account of the same person`);
        if (from === to) return;
        await tx
          .updateTable('users')
          .set({ person: to })
          .where((where) => where.or([where('name', '=', from), where('person', '=', from)]))
          .execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'user.link',
          target: `user/${name}`,
          details: { sameAs, person: to, accounts: await accountsOfPerson(tx, name) },
        });
      });
    },

    /**
     * Says that an account is of a person of its own again; the others stay linked. What one of them began while they were linked stays
     * begun by all. Nobody does so with accounts of their own. Throws `AuthError` `user_unknown`, `link_invalid`, `denied`.
     */
    async unlink(by: Principal, name: string): Promise<void> {
      await db.transaction().execute(async (tx) => {
        await found(tx, name);
        const accounts = await accountsOfPerson(tx, name);
        if (accounts.length > 1 && accounts.includes(personOf(by)))
          throw new AuthError(
            'denied',
            `"${name}" is linked to your own account "${personOf(by)}"; another administrator has to say that they are not one person`,
          );
        const others = accounts.filter((account) => account !== name);
        const [next] = others;
        if (next === undefined) throw new AuthError('link_invalid', `"${name}" is not linked to another account`);
        await tx.updateTable('users').set({ person: null }).where('name', 'in', [name, next]).execute();
        await notePartedAccounts(tx, name, others, clock.now());
        const rest = others.slice(1);
        if (rest.length > 0) await tx.updateTable('users').set({ person: next }).where('name', 'in', rest).execute();
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'user.unlink',
          target: `user/${name}`,
          details: { accounts: [...others] },
        });
      });
    },
  };
}

/**
 * Creates the first user, `admin`, when there is no user at all; without a password a random one is made. Gives the name and
 * password for the caller to print once, undefined when there are users already.
 */
export async function bootstrapAdministrator(
  deps: UserStoreDeps,
  password?: string,
): Promise<{ readonly name: string; readonly password: string; readonly generated: boolean } | undefined> {
  const some = await deps.db.selectFrom('users').select('id').limit(1).executeTakeFirst();
  if (some) return undefined;
  const chosen = password ?? newSecret(18);
  try {
    await createUserStore(deps).create(SYSTEM, { name: FIRST_USER, password: chosen, admin: true });
  } catch (error) {
    // Another replica was first.
    if (error instanceof AuthError && error.code === 'user_exists') return undefined;
    throw error;
  }
  return { name: FIRST_USER, password: chosen, generated: password === undefined };
}

async function found(tx: Tx, name: string): Promise<Row<'users'>> {
  const row = await tx.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
  if (!row) throw unknown(name);
  return row;
}

/** True for what a person's account can be called. */
export function isUserName(name: string): boolean {
  return name.length <= LONGEST_NAME && NAME.test(name) && !RESERVED.has(name);
}

function authenticated(row: Row<'users'>): Authenticated {
  return {
    principal: userPrincipal(row),
    mark: passwordMark(row),
  };
}

export function userPrincipal({ id, name, admin }: Row<'users'>) {
  return { kind: 'user', id, name, admin: admin === 1 } as const;
}

/** Changes when the password does. */
export function passwordMark(row: Row<'users'>): string {
  return createHash('sha256').update(row.password_hash).digest('base64url').slice(0, 22);
}

function toUser(row: Row<'users'>): User {
  const { id, name } = row;
  return {
    id,
    name,
    admin: row.admin === 1,
    disabled: row.disabled === 1,
    ...(row.person === null ? {} : { person: row.person }),
    createdAt: row.created_at,
  };
}

function unknown(name: string): AuthError {
  return new AuthError('user_unknown', `there is no user "${name.slice(0, 140)}"`);
}
