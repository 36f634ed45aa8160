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

/** Tables, with the conditions by which rows in them are found, one table after the other as they are written. */
export interface Source {
  readonly from: Condition;
  readonly where: Condition;
}

/** One side of a filter. */
export interface Side {
  /** Leads to the rows of `g`, with `f` where it is about names. */
  readonly source: Source;
  /** Holds for a row that was found otherwise. */
  readonly holds: Condition;
}

/** A filter as conditions on `f`, the finding, and `g`, its row in a repository. A side that is not asked is absent. */
export interface Conditions {
  /** What the finding and its package are called. With the vulnerability it is known which few findings these are: `findings` leads to them. */
  readonly names: (Side & { readonly findings?: Source }) | undefined;
  /** What the finding is like and what becomes of it. */
  readonly traits: Side | undefined;
  /** In which repositories. */
  readonly place: Side | undefined;
  /** What the finding is like, of `f`. */
  readonly likeness: readonly Condition[];
  /** In which repositories, of a row `p` of `finding_repositories`. */
  readonly repositories: readonly Condition[];
}

/** Sorts after every text that begins with another. */
const LAST_CHARACTER = '\u{10ffff}';

export function conditionsOf(filter: FindingFilter): Conditions {
  const repositories = repositoryConditions(filter);
  return {
    names: namesOf(filter),
    traits: traitsSide(filter),
    place: repositories.length === 0 ? undefined : placeIn(repositories),
    likeness: likenessConditions(filter),
    repositories,
  };
}

/** True where all of them are. */
export function allOf(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 1` : sql.join([...conditions], sql` and `);
}

/** Ties a row of the list to its finding. */
export const JOINED: Condition = sql`f.id = g.finding_id`;

function namesOf(filter: FindingFilter): Conditions['names'] {
  const { vulnerability, package: name, packagePrefix } = filter;
  // Known of the finding as well, and together with its name often of few.
  const likeness = likenessConditions(filter);
  const ofPackage: Condition[] = [];
  if (name !== undefined) ofPackage.push(sql`f.package = ${name}`);
  if (packagePrefix !== undefined)
    ofPackage.push(sql`f.package >= ${packagePrefix} and f.package < ${packagePrefix + LAST_CHARACTER}`);
  if (vulnerability === undefined) {
    if (ofPackage.length === 0) return undefined;
    const from = sql`findings f cross join repository_findings g`;
    return { source: { from, where: allOf([...ofPackage, ...likeness, JOINED]) }, holds: allOf(ofPackage) };
  }
  const called = vulnerability.toLowerCase();
  const findings = {
    from: sql`finding_names n cross join findings f`,
    where: allOf([sql`n.name = ${called} and f.id = n.finding_id`, ...ofPackage, ...likeness]),
  };
  return {
    findings,
    source: {
      from: sql`${findings.from} cross join repository_findings g`,
      where: sql`${findings.where} and ${JOINED}`,
    },
    holds: allOf([sql`f.id in (select finding_id from finding_names where name = ${called})`, ...ofPackage]),
  };
}

function placeIn(repositories: readonly Condition[]): Side {
  const where = allOf(repositories);
  return {
    source: {
      from: sql`finding_repositories p cross join repository_findings g`,
      where: sql`${where} and g.repository = p.number`,
    },
    holds: sql`${unsought('repository')} in (select p.number from finding_repositories p where ${where})`,
  };
}

function likenessConditions({ severity, fixable, kev }: FindingFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (severity !== undefined) conditions.push(sql`f.severity >= ${severityRank(severity)}`);
  if (fixable !== undefined) conditions.push(sql`f.fixable = ${fixable ? 1 : 0}`);
  if (kev !== undefined) conditions.push(sql`f.kev = ${kev ? 1 : 0}`);
  return conditions;
}

function traitsSide({ severity, fixable, kev, statuses }: FindingFilter): Side | undefined {
  const like = [severity, fixable, kev].some((wanted) => wanted !== undefined);
  if (!like && statuses === undefined) return undefined;
  const traits = traitsWith({ severity, fixable, kev });
  const inIndex = isOneOf(sql`g.statuses`, combinationsWith(statuses ?? STATUSES));
  return {
    source: {
      from: sql`repository_findings g`,
      where: allOf([inIndex, ...(like ? [isOneOf(sql`g.traits`, traits)] : [])]),
    },
    holds: allOf([
      ...(statuses === undefined ? [] : [isOneOf(unsought('statuses'), combinationsWith(statuses))]),
      ...(like ? [isOneOf(unsought('traits'), traits)] : []),
    ]),
  };
}

function repositoryConditions({ projects, repository }: FindingFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (projects !== undefined)
    conditions.push(projects.length === 0 ? sql`1 = 0` : sql`p.project_id in (${sql.join(projects)})`);
  if (repository !== undefined) conditions.push(sql`p.name = ${repository}`);
  return conditions;
}

/** A column of `g` with a sign in front of it, which keeps engines from looking for it in an index. */
function unsought(name: string): Condition {
  return sql`+${sql.ref(`g.${name}`)}`;
}

/** Sent as they stand: small numbers of ours. */
function isOneOf(value: Condition, numbers: readonly number[]): Condition {
  return numbers.length === 0 ? sql`1 = 0` : sql`${value} in (${sql.join(numbers.map((number) => sql.lit(number)))})`;
}
