import { type SqlBool, sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { admissionFindingOf, type StoredAdmissionFinding } from './admission-findings.ts';
import { fromRow, type StandingViolation } from './violation-rows.ts';

/** Which findings are wanted; what is absent does not matter. */
export interface FindingFilter {
  readonly cluster?: string | undefined;
  readonly namespace?: string | undefined;
  /** Name of the constraint. */
  readonly constraint?: string | undefined;
  /** Kind of the object. */
  readonly kind?: string | undefined;
  /** Found by an audit for the first time, or said by admission, at this moment or later; epoch ms. */
  readonly since?: number | undefined;
}

export type Finding =
  | { readonly from: 'audit'; readonly finding: StandingViolation }
  | { readonly from: 'admission'; readonly finding: StoredAdmissionFinding };

/** Where a page ends: the source, the cluster and the key of its last finding. */
interface Place {
  readonly from: Finding['from'];
  readonly cluster: string;
  readonly key: string;
}

/**
 * A page of everything that audits found and nobody mended, and then of what admission said, in a fixed order. `after` is
 * the `next` of the page before; undefined when that is no such text.
 */
export async function listFindings(
  db: Db,
  filter: FindingFilter,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<{ readonly items: Finding[]; readonly next?: string } | undefined> {
  const after = page.after === undefined ? undefined : readPlace(page.after);
  if (page.after !== undefined && after === undefined) return undefined;
  const found: (Finding & { readonly key: string })[] = [];
  if (after?.from !== 'admission')
    for (const row of await violationRows(db, filter, after, page.limit + 1))
      found.push({ from: 'audit', finding: fromRow(row), key: row.key });
  if (found.length <= page.limit) {
    const place = after?.from === 'admission' ? after : undefined;
    for (const row of await admissionRows(db, filter, place, page.limit + 1 - found.length))
      found.push({ from: 'admission', finding: admissionFindingOf(row), key: row.key });
  }
  const items = found.slice(0, page.limit);
  const last = items.at(-1);
  const more = found.length > page.limit && last !== undefined;
  return {
    items: items.map(({ key: _key, ...one }) => one),
    ...(more ? { next: writePlace({ from: last.from, cluster: last.finding.cluster, key: last.key }) } : {}),
  };
}

function violationRows(db: Db, filter: FindingFilter, after: Place | undefined, limit: number) {
  let query = db.selectFrom('cluster_violations').selectAll().orderBy('cluster').orderBy('key').limit(limit);
  if (filter.cluster !== undefined) query = query.where('cluster', '=', filter.cluster);
  if (filter.namespace !== undefined) query = query.where('namespace', '=', filter.namespace);
  if (filter.constraint !== undefined) query = query.where('constraint_name', '=', filter.constraint);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.since !== undefined) query = query.where('first_seen', '>=', filter.since);
  if (after !== undefined) query = query.where(isAfter(after));
  return query.execute();
}

function admissionRows(db: Db, filter: FindingFilter, after: Place | undefined, limit: number) {
  let query = db.selectFrom('admission_findings').selectAll().orderBy('cluster').orderBy('key').limit(limit);
  if (filter.cluster !== undefined) query = query.where('cluster', '=', filter.cluster);
  if (filter.namespace !== undefined) query = query.where('namespace', '=', filter.namespace);
  if (filter.constraint !== undefined) query = query.where('constraint_name', '=', filter.constraint);
  const { kind } = filter;
  if (kind !== undefined) query = query.where((eb) => eb.or([eb('kind', '=', kind), eb('owner_kind', '=', kind)]));
  if (filter.since !== undefined) query = query.where('last_at', '>=', filter.since);
  if (after !== undefined) query = query.where(isAfter(after));
  return query.execute();
}

/** In the order of cluster and key, which both tables are read in. */
function isAfter({ cluster, key }: Place) {
  return sql<SqlBool>`(cluster, key) > (${cluster}, ${key})`;
}

function writePlace({ from, cluster, key }: Place): string {
  return Buffer.from(JSON.stringify([from, cluster, key])).toString('base64url');
}

function readPlace(text: string): Place | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed)) return undefined;
    const [from, cluster, key] = parsed as unknown[];
    if (from !== 'audit' && from !== 'admission') return undefined;
    return typeof cluster === 'string' && typeof key === 'string' ? { from, cluster, key } : undefined;
  } catch {
    return undefined;
  }
}
