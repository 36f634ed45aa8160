import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { SEVERITIES, type Severity } from '../model/severity.ts';
import { readByIndex } from './by-index.ts';
import { allOf, type FindingFilter, holdsPlace, packageConditions } from './query.ts';
import { type ListedStatus, readList } from './status.ts';

/** An image that holds a finding. */
export interface HoldingImage {
  readonly repositoryId: string;
  /** Full name. */
  readonly repository: string;
  readonly digest: string;
  readonly vulnerability: string;
  readonly package: string;
  readonly installed: string;
  readonly fixed?: string;
  readonly severity: Severity;
  readonly status: ListedStatus;
}

export interface HoldingQuery extends Pick<FindingFilter, 'projects' | 'repository' | 'package' | 'packagePrefix'> {
  readonly vulnerability: string;
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

interface FoundImage {
  readonly finding_id: number;
  readonly repository: number;
  readonly image: number;
  readonly repository_id: string;
  readonly name: string;
  readonly digest: string;
  readonly findings: string;
  readonly vulnerability: string;
  readonly package: string;
  readonly installed: string;
  readonly fixed: string;
  readonly severity: number;
}

/** A page of the images that hold a vulnerability, by finding and repository. Undefined when `after` is no place. */
export async function listHoldingImages(
  db: Db,
  { limit, after, ...filter }: HoldingQuery,
): Promise<{ readonly items: readonly HoldingImage[]; readonly next?: string } | undefined> {
  const place = after === undefined ? [] : readNumbers(after);
  if (place === undefined) return undefined;
  const where = [
    sql`n.name = ${filter.vulnerability.toLowerCase()} and f.id = n.finding_id and o.finding_id = f.id`,
    sql`i.number = o.image`,
    sql`r.number = o.repository`,
    ...packageConditions(sql`f.package`, filter),
    ...holdsPlace(sql`o.repository`, filter),
    ...(place.length === 0 ? [] : [sql`(o.finding_id, o.repository, o.image) > (${sql.join([...place])})`]),
  ];
  const wanted = sql<FoundImage>`select o.finding_id, o.repository, o.image, r.repository_id, r.name, i.digest, i.findings,
      f.vulnerability, f.package, f.installed, f.fixed, f.severity
    from finding_names n cross join findings f cross join image_findings o cross join finding_images i cross join finding_repositories r
    where ${allOf(where)} order by o.finding_id, o.repository, o.image limit ${limit + 1}`;
  const { rows } = await readByIndex(db, (tx) => wanted.execute(tx));
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(holdingOf),
    ...(rows.length > limit && last ? { next: `${last.finding_id} ${last.repository} ${last.image}` } : {}),
  };
}

function holdingOf(row: FoundImage): HoldingImage {
  return {
    repositoryId: row.repository_id,
    repository: row.name,
    digest: row.digest,
    vulnerability: row.vulnerability,
    package: row.package,
    installed: row.installed,
    ...(row.fixed === '' ? {} : { fixed: row.fixed }),
    severity: SEVERITIES[row.severity] ?? 'unknown',
    status: readList(row.findings).get(row.finding_id) ?? 'warned',
  };
}

function readNumbers(text: string): readonly number[] | undefined {
  return /^\d{1,15} \d{1,15} \d{1,15}$/.test(text) ? text.split(' ').map(Number) : undefined;
}
