import { type RawBuilder, sql } from 'kysely';
import { type Severity, severityRank } from '../model/severity.ts';
import { combinationsWith, type ListedStatus, STATUSES } from './status.ts';
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

/** A filter as conditions on `f`, the finding, and `g`, its row in a repository. By each of the sides rows can be found; absent: not asked. */
export interface Conditions {
  /** Who it is, of `f`. */
  readonly names: readonly Condition[];
  /** What it is like, of `f`. */
  readonly likeness: readonly Condition[];
  /** What it is like and what becomes of it, of `g`; `where` looks up the column in an index, or not. */
  readonly traits: ((where: 'index' | 'row') => Condition) | undefined;
  /** In which repositories, of `g`. */
  readonly place: ((where: 'index' | 'row') => Condition) | undefined;
  /** The same of a row of `finding_repositories`. */
  readonly repositories: readonly Condition[];
}

/** Sorts after every text that begins with another. */
const LAST_CHARACTER = '\u{10ffff}';

export function conditionsOf(filter: FindingFilter): Conditions {
  const repositories = repositoryConditions(filter);
  return {
    names: nameConditions(filter),
    likeness: likenessConditions(filter),
    traits: traitConditions(filter),
    repositories,
    place:
      repositories.length === 0
        ? undefined
        : (where) =>
            sql`${column('repository', where)} in (select number from finding_repositories where ${allOf(repositories)})`,
  };
}

/** True where all of them are. */
export function allOf(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 1` : sql.join([...conditions], sql` and `);
}

function nameConditions({ vulnerability, package: name, packagePrefix }: FindingFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (vulnerability !== undefined)
    conditions.push(sql`f.id in (select finding_id from finding_names where name = ${vulnerability.toLowerCase()})`);
  if (name !== undefined) conditions.push(sql`f.package = ${name}`);
  if (packagePrefix !== undefined)
    conditions.push(sql`f.package >= ${packagePrefix} and f.package < ${packagePrefix + LAST_CHARACTER}`);
  return conditions;
}

function likenessConditions({ severity, fixable, kev }: FindingFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (severity !== undefined) conditions.push(sql`f.severity >= ${severityRank(severity)}`);
  if (fixable !== undefined) conditions.push(sql`f.fixable = ${fixable ? 1 : 0}`);
  if (kev !== undefined) conditions.push(sql`f.kev = ${kev ? 1 : 0}`);
  return conditions;
}

function traitConditions({ severity, fixable, kev, statuses }: FindingFilter): Conditions['traits'] {
  const like = [severity, fixable, kev].some((wanted) => wanted !== undefined);
  if (!like && statuses === undefined) return undefined;
  const bits = combinationsWith(statuses ?? STATUSES);
  return (where) =>
    allOf([
      ...(statuses === undefined && where === 'row' ? [] : [isOneOf(column('statuses', where), bits)]),
      ...(like ? [isOneOf(column('traits', where), traitsWith({ severity, fixable, kev }))] : []),
    ]);
}

function repositoryConditions({ projects, repository }: FindingFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (projects !== undefined)
    conditions.push(projects.length === 0 ? sql`1 = 0` : sql`project_id in (${sql.join(projects)})`);
  if (repository !== undefined) conditions.push(sql`name = ${repository}`);
  return conditions;
}

/** A sign in front of it keeps engines from looking for it in an index. */
function column(name: string, where: 'index' | 'row'): Condition {
  return where === 'index' ? sql.ref(`g.${name}`) : sql`+${sql.ref(`g.${name}`)}`;
}

/** Sent as they stand: small numbers of ours. */
function isOneOf(value: Condition, numbers: readonly number[]): Condition {
  return numbers.length === 0 ? sql`1 = 0` : sql`${value} in (${sql.join(numbers.map((number) => sql.lit(number)))})`;
}
