import type { Db } from '../db/database.ts';
import type { Counts, Reason, VerdictInputs, VerdictKind } from '../model/verdict.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { Cause } from './ports.ts';
import type { ChangeDocument } from './verdict-store.ts';

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
  return (await select.execute()).map((row) => ({
    id: row.id,
    repository: row.repository,
    digest: parseDigest(row.digest),
    ...(row.previous === null ? {} : { previous: row.previous as VerdictKind }),
    kind: row.kind as VerdictKind,
    cause: row.cause as Cause,
    ...(JSON.parse(row.document) as ChangeDocument),
    at: row.at,
  }));
}
