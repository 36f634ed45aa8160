import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { behind, IN_REPOSITORY, orderOf, type SortValue, sortBy, value } from './order.ts';
import { allOf, type Condition, JOINED, type Sort, type Source } from './query.ts';
import type { RowKey } from './rows.ts';

/** Which part of the sorted rows is wanted. */
export interface WantedRows {
  readonly sort: Sort;
  readonly limit: number;
  /** Where the page before ended. */
  readonly after: readonly SortValue[] | undefined;
}

/** Reads all rows `g` of a source and sorts them. `named`: the finding `f` is beside them already. */
export async function sortRows(
  db: Db,
  { from, where }: Source,
  { sort, limit, after }: WantedRows,
  { named }: { readonly named: boolean },
): Promise<readonly RowKey[]> {
  const tables = [from];
  const conditions = [where];
  if (!named && sort !== 'first-seen') {
    tables.push(sql`findings f`);
    conditions.push(JOINED);
  }
  if (sort === 'repository') {
    tables.push(sql`finding_repositories r`);
    conditions.push(sql`r.number = g.repository`);
  }
  if (after) conditions.push(behindPlace(sort, after));
  const order = sort === 'repository' ? sql`${value('r.name')}, ${sortBy(IN_REPOSITORY)}` : sortBy(orderOf(sort));
  const { rows } = await sql<RowKey>`select g.finding_id, g.repository
    from ${sql.join(tables, sql` cross join `)} where ${allOf(conditions)} order by ${order} limit ${limit}`.execute(
    db,
  );
  return rows;
}

function behindPlace(sort: Sort, values: readonly SortValue[]): Condition {
  if (sort !== 'repository') return behind(orderOf(sort), values);
  const [name = '', ...rest] = values;
  return sql`(r.name > ${name} or (r.name = ${name} and ${behind(IN_REPOSITORY, rest)}))`;
}
