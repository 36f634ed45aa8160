import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { NotifyError } from './errors.ts';

/** The project whose receivers are meant; undefined: those of the installation. */
export type ReceiverHome = { readonly id: string; readonly name: string } | undefined;

/** Throws `NotifyError('receiver_unknown')`. */
export async function receiverRow(db: Db, home: ReceiverHome, name: string): Promise<Row<'notify_receivers'>> {
  const row = await db
    .selectFrom('notify_receivers')
    .selectAll()
    .where('project_id', '=', home?.id ?? '')
    .where('name', '=', name)
    .executeTakeFirst();
  if (row) return row;
  const [where, option] = home ? [`project "${home.name}"`, ` --project ${home.name}`] : ['the installation', ''];
  throw new NotifyError(
    'receiver_unknown',
    `${where} has no receiver "${name.slice(0, 80)}"; see: breakwater notify list${option}`,
  );
}

/** How lines of the ledger name a receiver. */
export function targetOf(home: ReceiverHome, name: string): { readonly target: string; readonly project?: string } {
  return { target: `receiver/${home ? `${home.name}/` : ''}${name}`, ...(home ? { project: home.name } : {}) };
}
