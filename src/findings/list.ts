import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { readByIndex } from './by-index.ts';
import { behind, IN_REPOSITORY, orderOf, type SortValue, sortBy, value } from './order.ts';
import { type Place, readPlace, writePlace } from './place.ts';
import { LIMITS, type Limits, planOf, type Total } from './plan.ts';
import {
  allOf,
  type Condition,
  type Conditions,
  conditionsOf,
  type FindingFilter,
  JOINED,
  type Sort,
  type Source,
} from './query.ts';
import { findingOf, type ListedFinding, placeOf, type RowKey, readRows } from './rows.ts';
import { walkFindings, walkRepositories, walkRows } from './walk.ts';

export interface FindingQuery extends FindingFilter {
  readonly sort: Sort;
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

export interface FindingPage {
  readonly items: readonly ListedFinding[];
  readonly total: Total;
  readonly next?: string;
}

/**
 * A page of the findings of all repositories, each once for a repository. What it costs does not depend on how far back the page is: few rows are
 * sorted, of many those in the index of the order are read until the page is full. Undefined when `after` is no place in this order.
 */
export async function listFindings(
  db: Db,
  query: FindingQuery,
  limits: Limits = LIMITS,
): Promise<FindingPage | undefined> {
  const { sort, limit } = query;
  const after = query.after === undefined ? undefined : readPlace(query.after, sort);
  if (query.after !== undefined && after === undefined) return undefined;
  const conditions = conditionsOf(query);
  const wanted = { conditions, limit: limit + 1, after: after?.values };
  return readByIndex(db, async (tx) => {
    const { few, total } = await planOf(tx, conditions, limits);
    const keys = few ? await sortFew(tx, few, wanted, sort) : await walk(tx, wanted, sort);
    const rows = await readRows(tx, keys.slice(0, limit));
    const last = rows.at(-1);
    return {
      items: rows.map(findingOf),
      total: total ?? { count: keys.length, exact: false },
      ...(keys.length > limit && last ? { next: writePlace(placeOf(last, sort)) } : {}),
    };
  });
}

interface Wanted {
  readonly conditions: Conditions;
  readonly limit: number;
  readonly after: readonly SortValue[] | undefined;
}

async function sortFew(
  db: Db,
  few: Source,
  { conditions, limit, after }: Wanted,
  sort: Sort,
): Promise<readonly RowKey[]> {
  const tables = [few.from];
  const where = [few.where, ...(after ? [afterPlace({ sort, values: after })] : [])];
  // Rows found by names have the finding beside them already.
  if (conditions.names === undefined && sort !== 'first-seen') {
    tables.push(sql`findings f`);
    where.push(JOINED);
  }
  if (sort === 'repository') {
    tables.push(sql`finding_repositories r`);
    where.push(sql`r.number = g.repository`);
  }
  const order = sort === 'repository' ? sql`${value('r.name')}, ${sortBy(IN_REPOSITORY)}` : sortBy(orderOf(sort));
  const { rows } = await sql<RowKey>`select g.finding_id, g.repository
    from ${sql.join(tables, sql` cross join `)} where ${allOf(where)} order by ${order} limit ${limit}`.execute(db);
  return rows;
}

function afterPlace({ sort, values }: Place): Condition {
  if (sort !== 'repository') return behind(orderOf(sort), values);
  const [name = '', ...rest] = values;
  return sql`(r.name > ${name} or (r.name = ${name} and ${behind(IN_REPOSITORY, rest)}))`;
}

function walk(db: Db, wanted: Wanted, sort: Sort): Promise<readonly RowKey[]> {
  if (sort === 'first-seen') return walkRows(db, wanted);
  if (sort === 'repository') return walkRepositories(db, wanted);
  return walkFindings(db, wanted, sort);
}
