import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { Counts, Reason, VerdictInputs, VerdictKind } from '../model/verdict.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { CauseDetail } from './cause-detail.ts';
import type { Cause } from './ports.ts';
import type { ChangeDocument } from './verdict-store.ts';

/** What exactly changed, with who set the policy that counts now, and why. */
export interface NamedCauses extends CauseDetail {
  readonly policySet?: { readonly by: string; readonly reason: string };
}

/** How a verdict came to differ from the one before it, in its kind or in its set of reasons. */
export interface VerdictChange {
  /** Ascending with time. */
  readonly id: number;
  readonly repository: string;
  readonly digest: Digest;
  /** Absent for the first verdict. */
  readonly previous?: VerdictKind;
  readonly kind: VerdictKind;
  readonly cause: Cause;
  /** What exactly changed; absent for the first verdict, and in older lines. */
  readonly causeDetail?: NamedCauses;
  readonly added: readonly Reason[];
  readonly removed: readonly Reason[];
  readonly counts: Counts;
  readonly inputs: VerdictInputs;
  /** Epoch ms. */
  readonly at: number;
}

export interface HistoryQuery {
  readonly repository?: string;
  readonly digest?: Digest;
  /** Changes before this id. */
  readonly before?: number;
  /** Epoch ms: from inclusive, to exclusive. */
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
}

/** Changes of verdicts, newest first. */
export async function verdictHistory(db: Db, query: HistoryQuery): Promise<VerdictChange[]> {
  let select = db.selectFrom('verdict_changes').selectAll().orderBy('id', 'desc').limit(query.limit);
  if (query.repository !== undefined) select = select.where('repository', '=', query.repository);
  if (query.digest !== undefined) select = select.where('digest', '=', query.digest);
  if (query.before !== undefined) select = select.where('id', '<', query.before);
  if (query.from !== undefined) select = select.where('at', '>=', query.from);
  if (query.to !== undefined) select = select.where('at', '<', query.to);
  const rows = (await select.execute()).map((row) => ({ row, document: JSON.parse(row.document) as ChangeDocument }));
  const authors = await authorsOf(
    db,
    rows.flatMap(({ document }) => document.causeDetail?.policy?.to ?? []),
  );
  return rows.map(({ row, document: { causeDetail, ...document } }) => ({
    id: row.id,
    repository: row.repository,
    digest: parseDigest(row.digest),
    ...(row.previous === null ? {} : { previous: row.previous as VerdictKind }),
    kind: row.kind as VerdictKind,
    cause: row.cause as Cause,
    ...(causeDetail ? { causeDetail: named(causeDetail, authors) } : {}),
    ...document,
    at: row.at,
  }));
}

type Authors = ReadonlyMap<number, { readonly by: string; readonly reason: string }>;

function named(detail: CauseDetail, authors: Authors): NamedCauses {
  const policySet = detail.policy && authors.get(detail.policy.to);
  return { ...detail, ...(policySet ? { policySet } : {}) };
}

/** Who set policy versions; the one that is built in was set by nobody. */
async function authorsOf(db: Db, versions: readonly number[]): Promise<Authors> {
  const authors = new Map<number, { readonly by: string; readonly reason: string }>();
  for (const batch of batches([...new Set(versions)])) {
    const rows = await db
      .selectFrom('policies')
      .select(['version', 'author', 'reason'])
      .where('version', 'in', batch)
      .execute();
    for (const { version, author, reason } of rows) authors.set(version, { by: author, reason });
  }
  return authors;
}
