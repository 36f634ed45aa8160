import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { readByIndex } from './by-index.ts';
import { type Parts, partsByName, partsBySeverity } from './parts.ts';
import { readPlace, writePlace } from './place.ts';
import { groupsFor, LIMITS, type Limits, rowsOf, type WantedGroups } from './plan.ts';
import {
  type Condition,
  type FindingFilter,
  holdsPlace,
  isOneOf,
  packageConditions,
  placeConditions,
  rowsOfVulnerability,
  type Sort,
  stateConditions,
  UNSOUGHT_PLACE,
} from './query.ts';
import { findingOf, type ListedFinding, placeOf, type RowKey, readRows } from './rows.ts';
import { sortRows, type WantedRows } from './sort-rows.ts';
import { rankOf, TRAITS_OF_FINDING } from './traits.ts';
import { walkFindings, walkRows } from './walk.ts';

export interface FindingQuery extends FindingFilter {
  readonly sort: Sort;
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

export interface FindingPage {
  readonly items: readonly ListedFinding[];
  /** Number of all that are wanted. */
  readonly total: number;
  readonly next?: string;
}

/**
 * A page of the findings of all repositories, each once for a repository. What it costs does not depend on how far back the page is: first it is
 * counted where what is wanted lies; then few rows are sorted, of many those in the index of the order are read until the page is full.
 * Undefined when `after` is no place in this order.
 */
export async function listFindings(
  db: Db,
  query: FindingQuery,
  limits: Limits = LIMITS,
): Promise<FindingPage | undefined> {
  const { sort, limit } = query;
  const after = query.after === undefined ? undefined : readPlace(query.after, sort);
  if (query.after !== undefined && after === undefined) return undefined;
  const wanted = { sort, limit: limit + 1, after: after?.values };
  return readByIndex(db, async (tx) => {
    const { keys, total } = await find(tx, query, wanted, limits);
    const rows = await readRows(tx, keys.slice(0, limit));
    const last = rows.at(-1);
    return {
      items: rows.map(findingOf),
      total,
      ...(keys.length > limit && last ? { next: writePlace(placeOf(last, sort)) } : {}),
    };
  });
}

async function find(
  db: Db,
  filter: FindingFilter,
  wanted: WantedRows,
  limits: Limits,
): Promise<{ readonly keys: readonly RowKey[]; readonly total: number }> {
  if (filter.vulnerability !== undefined) {
    const source = rowsOfVulnerability(filter.vulnerability, filter);
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from ${source.from} where ${source.where}`.execute(db);
    return { keys: await sortRows(db, source, wanted, { named: true }), total: rows[0]?.count ?? 0 };
  }
  const groups = await groupsFor(db, filter, wanted.sort);
  return { keys: await findInGroups(db, filter, groups, wanted, limits), total: groups.rows };
}

async function findInGroups(
  db: Db,
  filter: FindingFilter,
  groups: WantedGroups,
  wanted: WantedRows,
  limits: Limits,
): Promise<readonly RowKey[]> {
  const found: RowKey[] = [];
  for (const parts of await partsOf(db, filter, groups, wanted)) {
    found.push(
      ...(await findInParts(db, filter, groups, parts, { ...wanted, limit: wanted.limit - found.length }, limits)),
    );
    if (found.length >= wanted.limit) break;
  }
  return found;
}

async function findInParts(
  db: Db,
  filter: FindingFilter,
  groups: WantedGroups,
  parts: Parts,
  wanted: WantedRows,
  limits: Limits,
): Promise<readonly RowKey[]> {
  const { sort } = wanted;
  const sorted = () => sortRows(db, rowsOf(groups.source, ofGroups(sort, parts)), wanted, { named: false });
  if (parts.rows <= limits.few || sort === 'repository') return sorted();
  const row = ofRows(filter, groups);
  if (sort === 'first-seen') {
    const most = parts.rows <= limits.rowsSortable ? limits.rowsLookedThrough : Infinity;
    return (await walkRows(db, { row, ...wanted, most, newest: groups.newest })) ?? sorted();
  }
  const finding = ofFindings(sort, groups, parts);
  const sortable = await hasFindings(db, Math.ceil(parts.rows / limits.rowsForFinding));
  const most = sortable ? parts.rows * limits.findingsForRow : Infinity;
  return (await walkFindings(db, { row, finding, ...wanted, most }, sort)) ?? sorted();
}

/** Whether there are so many findings. */
async function hasFindings(db: Db, count: number): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (select 1 from findings f limit ${count}) f`.execute(db);
  return (rows[0]?.count ?? 0) >= count;
}

/** Where in what is wanted the page lies. */
async function partsOf(
  db: Db,
  filter: FindingFilter,
  { parts: wanted, rows }: WantedGroups,
  { sort, limit, after }: WantedRows,
): Promise<readonly Parts[]> {
  const [from] = after ?? [];
  if (sort === 'severity') return partsBySeverity(wanted, limit, from);
  if (sort === 'repository')
    return partsByName(db, 'finding_repositories', { wanted, limit, from, conditions: placeConditions(filter) });
  if (sort === 'package')
    return partsByName(db, 'finding_packages', {
      wanted,
      limit,
      from,
      conditions: packageConditions(sql`p.name`, filter),
    });
  return rows === 0 ? [] : [{ numbers: [...wanted.keys()], rows }];
}

/** Of a group `c`: that it lies in these parts. */
function ofGroups(sort: Sort, { numbers }: Parts): readonly Condition[] {
  if (sort === 'repository') return [isOneOf(sql`c.repository`, numbers)];
  return [isOneOf(sort === 'package' ? sql`+c.package` : sql`+c.traits`, numbers)];
}

/** Of a finding `f`: the same, and where it is in the index of the order. */
function ofFindings(sort: Sort, { packages }: WantedGroups, { numbers, last }: Parts): readonly Condition[] {
  const own = sql`+f.package_number`;
  if (sort === 'package') return [sql`f.package <= ${last}`, isOneOf(own, numbers)];
  const ranks = numbers.map(rankOf);
  return [
    ...(sort === 'severity' ? [sql`f.severity >= ${sql.lit(Math.min(...ranks))}`] : []),
    isOneOf(TRAITS_OF_FINDING, numbers),
    ...(packages === undefined ? [] : [isOneOf(own, packages)]),
  ];
}

/** Of a row `g`: whatever is asked. */
function ofRows(filter: FindingFilter, { packages }: WantedGroups): readonly Condition[] {
  return [
    ...stateConditions('g', filter),
    ...holdsPlace(UNSOUGHT_PLACE, filter),
    ...(packages === undefined ? [] : [isOneOf(sql`+g.package`, packages)]),
  ];
}
