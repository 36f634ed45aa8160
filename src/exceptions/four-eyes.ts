import { accountsOfPerson, accountsSince } from '../auth/persons.ts';
import { type Principal, personOf } from '../auth/principal.ts';
import type { Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { requestersOf } from './exception.ts';

/** Every account of the person who acts, as they are linked now. A robot is its owner. */
export async function accountsOf(tx: Tx, by: Principal): Promise<readonly string[]> {
  return accountsOfPerson(tx, personOf(by));
}

/** The accounts as whom the person who acts has a part in this request; none when it is somebody else's. */
export async function ownParts(tx: Tx, by: Principal, row: Row<'exceptions'>): Promise<readonly string[]> {
  // They may have been linked, and parted again, since it was asked for.
  const own = new Set(await accountsSince(tx, personOf(by), row.requested_at));
  return requestersOf(row).filter((name) => own.has(name));
}

/** Says whose request it is. */
export function ownRequest(row: Row<'exceptions'>, person: string, own: readonly string[]): string {
  const end = 'another person has to grant it';
  if (row.requested_person === person) return `${person} asked for this exception through ${row.requested_by}; ${end}`;
  if (row.requested_by === person) return `${person} asked for this exception; ${end}`;
  const [other] = own.filter((name) => name !== person);
  const whom = requestersOf(row).includes(person) || other === undefined ? person : `${person}, who is also ${other},`;
  return `${whom} asked for this exception or changed the request; ${end}`;
}
