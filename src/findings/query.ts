import { type RawBuilder, sql } from 'kysely';
import type { Severity } from '../model/severity.ts';
import { bitsOf, type ListedStatus } from './status.ts';
import { traitsWith } from './traits.ts';

export const SORTS = ['severity', 'epss', 'first-seen', 'vulnerability', 'package', 'repository'] as const;
export type Sort = (typeof SORTS)[number];

/** Which findings are wanted; what is absent does not matter. */
export interface FindingFilter {
  /** Ids of the projects in which to look; absent: in all. */
  readonly projects?: readonly string[] | undefined;
  /** Full name of a repository. */
  readonly repository?: string | undefined;
  /** Its id or an alias, in any case. */
  readonly vulnerability?: string | undefined;
  readonly package?: string | undefined;
  /** How the name of the package begins. */
  readonly packagePrefix?: string | undefined;
  /** That or worse. */
  readonly severity?: Severity | undefined;
  readonly fixable?: boolean | undefined;
  /** In CISA's catalogue. */
  readonly kev?: boolean | undefined;
  /** Any of these, in at least one image. */
  readonly statuses?: readonly ListedStatus[] | undefined;
}

export type Condition = RawBuilder<unknown>;

/** Tables, with the conditions by which rows in them are found, one table after the other as they are written. */
export interface Source {
  readonly from: Condition;
  readonly where: Condition;
}

/** Sorts after every text that begins with another. */
const LAST_CHARACTER = '\u{10ffff}';

/** True where all of them are. */
export function allOf(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 1` : sql.join([...conditions], sql` and `);
}

/** Ties a row of the list, `g`, to its finding, `f`. */
export const JOINED: Condition = sql`f.id = g.finding_id`;

/** In which repositories: of a row `p` of `finding_repositories`. */
export function placeConditions({ projects, repository }: FindingFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (projects !== undefined)
    conditions.push(projects.length === 0 ? sql`1 = 0` : sql`p.project_id in (${sql.join(projects)})`);
  if (repository !== undefined) conditions.push(sql`p.name = ${repository}`);
  return conditions;
}

/** Of which packages, by the column that holds their names. */
export function packageConditions(
  name: Condition,
  { package: whole, packagePrefix: prefix }: Pick<FindingFilter, 'package' | 'packagePrefix'>,
): readonly Condition[] {
  return [
    ...(whole === undefined ? [] : [sql`${name} = ${whole}`]),
    ...(prefix === undefined ? [] : [sql`${name} >= ${prefix} and ${name} < ${prefix + LAST_CHARACTER}`]),
  ];
}

/** What a finding is like and what becomes of it, of whatever has a column for each. */
export function stateConditions(table: 'g' | 'c', { statuses, ...like }: FindingFilter): readonly Condition[] {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  return [
    ...(statuses === undefined ? [] : [sql`${column('statuses')} & ${sql.lit(bitsOf(statuses))} <> 0`]),
    ...traitsWith(column('traits'), like),
  ];
}

/** Whatever lies in these repositories, by the column that holds their numbers. */
export function holdsPlace(repository: Condition, filter: FindingFilter): readonly Condition[] {
  const place = placeConditions(filter);
  return place.length === 0
    ? []
    : [sql`${repository} in (select p.number from finding_repositories p where ${allOf(place)})`];
}

/** The repository of a row `g`, with a sign that keeps engines from looking for it in an index. */
export const UNSOUGHT_PLACE: Condition = sql`+g.repository`;

/** Rows of the list with a vulnerability, by its findings `f`, which are few. */
export function rowsOfVulnerability(vulnerability: string, filter: FindingFilter): Source {
  return {
    from: sql`finding_names n cross join findings f cross join repository_findings g`,
    where: allOf([
      sql`n.name = ${vulnerability.toLowerCase()} and f.id = n.finding_id`,
      ...packageConditions(sql`f.package`, filter),
      JOINED,
      ...stateConditions('g', filter),
      ...holdsPlace(UNSOUGHT_PLACE, filter),
    ]),
  };
}

/** Numbers of ours as they stand. */
export function isOneOf(value: Condition, numbers: readonly number[]): Condition {
  return numbers.length === 0 ? sql`1 = 0` : sql`${value} in (${sql.join(numbers.map((number) => sql.lit(number)))})`;
}
