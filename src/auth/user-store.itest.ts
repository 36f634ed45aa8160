import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { verifyChain } from '../ledger/chain.ts';
import { createLedger } from '../ledger/ledger.ts';
import { fixedClock } from '../platform/clock.ts';
import { SYSTEM } from './principal.ts';
import { bootstrapAdministrator, createUserStore, type UserStore } from './user-store.ts';

const password = 'correct horse';

describe.each(ENGINES)('users on %s', (engine) => {
  let handle: DatabaseHandle;
  let users: UserStore;
  const deps = () => {
    const clock = fixedClock(5000);
    return { db: handle.db, clock, ledger: createLedger({ db: handle.db, clock }) };
  };
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    users = createUserStore(deps());
  });
  afterEach(() => handle.close());

  it('begins with one administrator, made once, also by replicas that start together', async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => bootstrapAdministrator(deps())));
    const [first, ...others] = made.filter((one) => one !== undefined);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ name: 'admin', generated: true });
    expect(first?.password.length).toBeGreaterThanOrEqual(24);
    expect(await users.list()).toMatchObject([{ name: 'admin', admin: true, disabled: false }]);
    expect((await users.authenticate('admin', first!.password))?.principal).toMatchObject({
      name: 'admin',
      admin: true,
    });
    expect(await bootstrapAdministrator(deps(), 'another password')).toBeUndefined();
  });

  it('takes the configured first password', async () => {
    expect(await bootstrapAdministrator(deps(), 'given password')).toEqual({
      name: 'admin',
      password: 'given password',
      generated: false,
    });
  });

  it.each(['', 'A', 'a b', 'a:b', '-a', 'a..b', 'anonymous', 'system', 'a'.repeat(129), 'ä', "a'; drop table users"])(
    'refuses the name %j',
    async (name) => {
      await expect(users.create(SYSTEM, { name, password })).rejects.toMatchObject({ code: 'name_invalid' });
      expect(await users.find(name)).toBeUndefined();
      expect(await users.authenticate(name, password)).toBeUndefined();
    },
  );

  it('keeps names apart and passwords out of everything but the hash', async () => {
    await users.create(SYSTEM, { name: 'eva.k@example.com', password });
    await expect(users.create(SYSTEM, { name: 'eva.k@example.com', password })).rejects.toMatchObject({
      code: 'user_exists',
    });
    await expect(users.create(SYSTEM, { name: 'tom', password: 'short' })).rejects.toMatchObject({
      code: 'password_invalid',
    });
    const lines = await deps().ledger.list({ limit: 10 });
    expect(lines.map(({ actor, action, target }) => [actor, action, target])).toEqual([
      ['system', 'user.create', 'user/eva.k@example.com'],
    ]);
    const everything = JSON.stringify([lines, await handle.db.selectFrom('users').selectAll().execute()]);
    expect(everything).not.toContain(password);
    expect(verifyChain(lines)).toBeUndefined();
  });

  it('forgets an old password and a disabled account at once', async () => {
    await users.create(SYSTEM, { name: 'root', password, admin: true });
    await users.create(SYSTEM, { name: 'eva', password });
    const login = async (word: string) => (await users.authenticate('eva', word))?.principal.name;
    expect(await login(password)).toBe('eva');
    await users.setPassword(SYSTEM, 'eva', 'another horse');
    expect([await login(password), await login('another horse')]).toEqual([undefined, 'eva']);
    await users.disable(SYSTEM, 'eva');
    expect(await login('another horse')).toBeUndefined();
    await users.enable(SYSTEM, 'eva');
    expect(await login('another horse')).toBe('eva');
  });

  it('never loses the last administrator', async () => {
    await users.create(SYSTEM, { name: 'a', password, admin: true });
    await users.create(SYSTEM, { name: 'b', password, admin: true });
    await users.disable(SYSTEM, 'a');
    await expect(users.disable(SYSTEM, 'b')).rejects.toMatchObject({ code: 'last_administrator' });
    expect(await users.find('b')).toMatchObject({ disabled: false });
    await expect(users.disable(SYSTEM, 'nobody')).rejects.toMatchObject({ code: 'user_unknown' });
    expect((await deps().ledger.list({ limit: 10 })).map(({ action }) => action)).toEqual([
      'user.create',
      'user.create',
      'user.disable',
    ]);
  });
});
