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

/** Name of the account that stands for the person an account belongs to. */
async function personOfAccount(db: Db, name: string): Promise<string> {
  const row = await db.selectFrom('users').select('person').where('name', '=', name).executeTakeFirst();
  return row?.person ?? name;
}
