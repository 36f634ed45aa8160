import type { Db } from '../db/database.ts';

/**
 * All accounts of the person an account belongs to, itself among them, sorted: what takes two persons counts them as one. A name
 * without an account is a person of its own.
 */
export async function accountsOfPerson(db: Db, name: string): Promise<readonly string[]> {
  const person = await personOfAccount(db, name);
  const rows = await db
    .selectFrom('users')
    .select('name')
    .where((where) => where.or([where('name', '=', person), where('person', '=', person)]))
    .execute();
  return [...new Set([name, ...rows.map((row) => row.name)])].sort();
}

/**
 * All accounts that were of one person with this one at any time since a moment (epoch ms), itself among them, sorted: what takes two
 * persons asks for those since the first of them acted, so that taking accounts apart in between opens nothing.
 */
export async function accountsSince(db: Db, name: string, since: number): Promise<readonly string[]> {
  const found = new Set<string>();
  const left = [name];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    // In this order: what is parted between the two is found by the second.
    const linked = await accountsOfPerson(db, next);
    const parted = await db
      .selectFrom('parted_accounts')
      .select('other')
      .where('name', '=', next)
      .where('parted_at', '>=', since)
      .execute();
    left.push(...linked, ...parted.map(({ other }) => other));
  }
  return [...found].sort();
}

/** True when two accounts were of one person at any time since a moment (epoch ms). */
export async function isSamePerson(db: Db, one: string, other: string, since: number): Promise<boolean> {
  return (await accountsSince(db, one, since)).includes(other);
}

/** Notes that an account was of one person with others until now. */
export async function notePartedAccounts(db: Db, name: string, others: readonly string[], at: number): Promise<void> {
  const rows = others.flatMap((other) => [
    { name, other, parted_at: at },
    { name: other, other: name, parted_at: at },
  ]);
  await db
    .insertInto('parted_accounts')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['name', 'other']).doUpdateSet({ parted_at: at }))
    .execute();
}

/** Name of the account that stands for the person an account belongs to. */
async function personOfAccount(db: Db, name: string): Promise<string> {
  const row = await db.selectFrom('users').select('person').where('name', '=', name).executeTakeFirst();
  return row?.person ?? name;
}
