import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { ExceptionError } from './errors.ts';
import { EVERY_PROJECT, type ExceptionRecord, type ExceptionState } from './exception.ts';

/** Where an exception counts: a project, or every one. */
export type Place = { readonly id: string; readonly name: string };

/** Every project. */
export const EVERYWHERE: Place = { id: EVERY_PROJECT, name: '' };

/** What the ledger calls the place. */
export function targetOf({ id, name }: Place): string {
  return id === EVERY_PROJECT ? 'installation' : `project/${name}`;
}

function wordsFor({ id, name }: Place): string {
  return id === EVERY_PROJECT ? 'the installation' : `project "${name}"`;
}

export interface ExceptionQuery {
  /** Empty: those about all projects. Absent: all there are. */
  readonly projectId?: string;
  readonly state?: ExceptionState;
  /** What was asked for together. */
  readonly batch?: string;
  /** The last one already seen. */
  readonly after?: Pick<ExceptionRecord, 'requestedAt' | 'id'>;
  readonly limit?: number;
}

/** Throws `ExceptionError('exception_unknown')`. */
export async function findRow(db: Db, place: Place, id: string): Promise<Row<'exceptions'>> {
  const row = await db
    .selectFrom('exceptions')
    .selectAll()
    .where('id', '=', id)
    .where('project_id', '=', place.id)
    .executeTakeFirst();
  if (row) return row;
  throw new ExceptionError(
    'exception_unknown',
    `${wordsFor(place)} has no exception ${JSON.stringify(id.slice(0, 60))}; see: breakwater exception list ${place.name || '--everywhere'}`,
  );
}

/** What these exceptions are about, of any place; those about a rule left out. */
export async function vulnerabilitiesOf(db: Db, ids: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const batch of batches(ids)) {
    const rows = await db.selectFrom('exceptions').select('vulnerability').where('id', 'in', batch).execute();
    found.push(...rows.flatMap(({ vulnerability }) => vulnerability ?? []));
  }
  return found;
}

/** Newest first. */
export async function selectRows(db: Db, query: ExceptionQuery): Promise<Row<'exceptions'>[]> {
  let select = db.selectFrom('exceptions').selectAll().orderBy('requested_at', 'desc').orderBy('id');
  if (query.projectId !== undefined) select = select.where('project_id', '=', query.projectId);
  if (query.state !== undefined) select = select.where('state', '=', query.state);
  if (query.batch !== undefined) select = select.where('batch', '=', query.batch);
  if (query.limit !== undefined) select = select.limit(query.limit);
  const { after } = query;
  if (after)
    select = select.where((where) =>
      where.or([
        where('requested_at', '<', after.requestedAt),
        where.and([where('requested_at', '=', after.requestedAt), where('id', '>', after.id)]),
      ]),
    );
  return select.execute();
}

/** What counts, or will, in a project: granted there or for all, not revoked, not over. */
export async function grantedRows(db: Db, projectId: string, now: number): Promise<Row<'exceptions'>[]> {
  return db
    .selectFrom('exceptions')
    .selectAll()
    .where('project_id', 'in', [...new Set([projectId, EVERY_PROJECT])])
    .where('state', '=', 'granted')
    .where('until', '>', now)
    .orderBy('id')
    .execute();
}

export type Change = Partial<Omit<Row<'exceptions'>, 'id' | 'project_id'>>;

/**
 * Changes a request in the transaction of a step. Its state and what is asked for are part of the condition: of two steps at once the second
 * finds nothing to do. Throws `ExceptionError('exception_state')`.
 */
export async function updateRow(
  tx: Tx,
  current: Row<'exceptions'>,
  from: readonly ExceptionState[],
  set: Change,
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('exceptions')
    .set(set)
    .where('id', '=', current.id)
    .where('state', 'in', from)
    .where('revision', '=', current.revision)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return;
  const now = await tx.selectFrom('exceptions').select('state').where('id', '=', current.id).executeTakeFirst();
  throw new ExceptionError(
    'exception_state',
    now?.state === current.state
      ? 'the request was changed at the same moment; read it and decide again'
      : `this exception is ${now?.state ?? 'gone'}, not ${from.join(' or ')}`,
  );
}
