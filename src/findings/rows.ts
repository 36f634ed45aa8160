import { type RawBuilder, sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { SEVERITIES, type Severity } from '../model/severity.ts';
import type { Place } from './place.ts';
import type { Sort } from './query.ts';
import { COUNTED, type ListedStatus, STATUSES } from './status.ts';

/** A finding in a repository. */
export interface ListedFinding {
  readonly vulnerability: string;
  readonly aliases: readonly string[];
  readonly package: string;
  readonly installed: string;
  readonly fixed?: string;
  readonly severity: Severity;
  /** What the publisher says beyond "affected". */
  readonly vendorStatus?: string;
  readonly kev: boolean;
  readonly epss?: number;
  /** Full name. */
  readonly repository: string;
  /** Epoch ms. */
  readonly firstSeen: number;
  /** Number of images that hold it. */
  readonly images: number;
  /** Among them by what becomes of it there; those that do not occur are left out. */
  readonly statuses: Readonly<Partial<Record<ListedStatus, number>>>;
}

/** Names a row: finding and repository. */
export interface RowKey {
  readonly finding_id: number;
  readonly repository: number;
}

/** Reads rows that were found, in the order in which they were found. Those that are gone meanwhile are left out. */
export async function readRows(db: Db, keys: readonly RowKey[]): Promise<readonly FoundRow[]> {
  const found = new Map<string, FoundRow>();
  for (const batch of batches(keys)) {
    const { rows } = await sql<FoundRow>`
      with k (finding_id, repository) as (values ${sql.join(batch.map(keyOf))})
      select f.id, f.vulnerability, f.aliases, f.package, f.installed, f.fixed, f.severity, f.vendor_status, f.kev, f.epss,
        g.repository, g.blocked, g.warned, g.in_grace, g.excepted, g.dismissed, g.first_seen, r.name
      from k cross join repository_findings g cross join findings f cross join finding_repositories r
      where g.finding_id = k.finding_id and g.repository = k.repository and f.id = g.finding_id and r.number = g.repository`.execute(
      db,
    );
    for (const row of rows) found.set(`${row.id} ${row.repository}`, row);
  }
  return keys.flatMap(({ finding_id, repository }) => found.get(`${finding_id} ${repository}`) ?? []);
}

function keyOf({ finding_id, repository }: RowKey): RawBuilder<unknown> {
  return sql`(cast(${finding_id} as bigint), cast(${repository} as bigint))`;
}

export interface FoundRow {
  readonly id: number;
  readonly vulnerability: string;
  readonly aliases: string;
  readonly package: string;
  readonly installed: string;
  readonly fixed: string;
  readonly severity: number;
  readonly vendor_status: string;
  readonly kev: number;
  readonly epss: number;
  readonly repository: number;
  readonly blocked: number;
  readonly warned: number;
  readonly in_grace: number;
  readonly excepted: number;
  readonly dismissed: number;
  readonly first_seen: number;
  readonly name: string;
}

export function findingOf(row: FoundRow): ListedFinding {
  const counts = STATUSES.map((status) => [status, row[COUNTED[status]]] as const).filter(([, images]) => images > 0);
  return {
    vulnerability: row.vulnerability,
    aliases: JSON.parse(row.aliases) as string[],
    package: row.package,
    installed: row.installed,
    ...(row.fixed === '' ? {} : { fixed: row.fixed }),
    severity: SEVERITIES[row.severity] ?? 'unknown',
    ...(row.vendor_status === '' ? {} : { vendorStatus: row.vendor_status }),
    kev: row.kev === 1,
    ...(row.epss < 0 ? {} : { epss: row.epss }),
    repository: row.name,
    firstSeen: row.first_seen,
    images: counts.reduce((sum, [, images]) => sum + images, 0),
    statuses: Object.fromEntries(counts),
  };
}

/** Where a row stands in a sort. */
export function placeOf(row: FoundRow, sort: Sort): Place {
  const { severity, epss, id, repository } = row;
  switch (sort) {
    case 'severity':
      return { sort, values: [severity, epss, id, repository] };
    case 'epss':
      return { sort, values: [epss, id, repository] };
    case 'vulnerability':
      return { sort, values: [row.vulnerability, id, repository] };
    case 'package':
      return { sort, values: [row.package, id, repository] };
    case 'first-seen':
      return { sort, values: [row.first_seen, id, repository] };
    case 'repository':
      return { sort, values: [row.name, severity, epss, id] };
  }
}
