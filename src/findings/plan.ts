import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import {
  allOf,
  type Condition,
  type FindingFilter,
  isOneOf,
  packageConditions,
  placeConditions,
  type Sort,
  type Source,
  stateConditions,
} from './query.ts';

/** What one page may cost. */
export interface Limits {
  /** Rows that are sorted without trying anything else. */
  readonly few: number;
  /** Findings are read in their order: how many may be in vain for each row that could be sorted instead. */
  readonly findingsForRow: number;
  /** Rows that are sorted at most for each finding that there is: sorting takes looking at the finding of each. */
  readonly rowsForFinding: number;
  /** Rows are read in their order: how many may be in vain … */
  readonly rowsLookedThrough: number;
  /** … where no more than these are wanted, which are then sorted instead, by what lies in the index. */
  readonly rowsSortable: number;
}

export const LIMITS: Limits = {
  few: 5000,
  findingsForRow: 1 / 8,
  rowsForFinding: 2,
  rowsLookedThrough: 16_384,
  rowsSortable: 350_000,
};

/** All rows that are wanted, as the groups they are in, `c`. */
export interface WantedGroups {
  readonly source: Source;
  /** Number of rows. */
  readonly rows: number;
  /** Epoch ms: no row was first seen later. */
  readonly newest: number;
  /** Rows by what the sort begins with, package or repository, else by traits. */
  readonly parts: ReadonlyMap<number, number>;
  /** Numbers of the packages that are asked for. */
  readonly packages: readonly number[] | undefined;
}

/** Packages so few that they are looked up in each repository. */
const LOOKED_UP = 8;

/** Counts what is wanted, in groups of rows that are alike; not for a vulnerability, which they do not tell. */
export async function groupsFor(db: Db, filter: FindingFilter, sort: Sort): Promise<WantedGroups> {
  const packages = await packagesOf(db, filter);
  const source = groupsOf(filter, packages);
  const by = sql.ref(`c.${sort === 'package' || sort === 'repository' ? sort : 'traits'}`);
  const { rows } = await sql<{ part: number; rows: number; newest: number }>`
    select ${by} as part, cast(sum(c.findings) as bigint) as rows, max(c.newest) as newest from ${source.from} where ${source.where} group by ${by}`.execute(
    db,
  );
  return {
    source,
    packages,
    rows: rows.reduce((sum, part) => sum + part.rows, 0),
    newest: rows.reduce((newest, part) => Math.max(newest, part.newest), 0),
    parts: new Map(rows.map((part) => [part.part, part.rows])),
  };
}

async function packagesOf(db: Db, filter: FindingFilter): Promise<readonly number[] | undefined> {
  const conditions = packageConditions(sql`k.name`, filter);
  if (conditions.length === 0) return undefined;
  const { rows } = await sql<{ number: number }>`
    select k.number from finding_packages k where ${allOf(conditions)} order by k.number`.execute(db);
  return rows.map(({ number }) => number);
}

function groupsOf(filter: FindingFilter, packages: readonly number[] | undefined): Source {
  const place = placeConditions(filter);
  // The sign keeps engines from looking for each of many packages in each of many repositories.
  const sought = place.length === 0 || (packages?.length ?? 0) <= LOOKED_UP;
  const column = sought ? sql`c.package` : sql`+c.package`;
  const where = [...(packages === undefined ? [] : [isOneOf(column, packages)]), ...stateConditions('c', filter)];
  if (place.length === 0) return { from: sql`finding_groups c`, where: allOf(where) };
  return {
    from: sql`finding_repositories p cross join finding_groups c`,
    where: allOf([...place, sql`c.repository = p.number`, ...where]),
  };
}

/** The rows, `g`, of groups. */
export function rowsOf({ from, where }: Source, more: readonly Condition[] = []): Source {
  return {
    from: sql`${from} cross join repository_findings g`,
    where: allOf([
      where,
      ...more,
      sql`g.repository = c.repository and g.package = c.package and g.statuses = c.statuses and g.traits = c.traits`,
    ]),
  };
}
