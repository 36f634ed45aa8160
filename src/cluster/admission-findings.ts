import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { addEvents, onlyOnce } from '../notify/outbox.ts';
import { keyOf } from './finding-key.ts';

/** What can be done about an object that a constraint speaks of. */
export const ADMISSION_ACTIONS = ['denied', 'warned', 'dryrun', 'restart-grace', 'break-glass', 'mirror-pod'] as const;

/** What admission said about one image of one owner under one constraint, however often. Times in epoch ms. */
export interface AdmissionFindingRow {
  readonly constraintKind: string;
  readonly constraint: string;
  /** What was done; one of `ADMISSION_ACTIONS`, or of those that later versions know. */
  readonly action: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  /** Of the newest object; what the API server generates the name from when it has none yet. */
  readonly name: string;
  /** The owner at the top, or the object itself. */
  readonly ownerKind: string;
  readonly ownerName: string;
  readonly image: string;
  readonly message: string;
  /** Who asked last. */
  readonly user: string;
  readonly times: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface StoredAdmissionFinding extends AdmissionFindingRow {
  readonly cluster: string;
}

const KEPT_MS = 30 * 86_400_000;
const MOST_PER_CLUSTER = 100_000;
const DELETED_AT_ONCE = 5000;
const TOLD_AGAIN_MS = 3_600_000;

/** Keeps what admission said for 30 days, the newest hundred thousand of each cluster. */
export type AdmissionFindingStore = ReturnType<typeof createAdmissionFindingStore>;

export function createAdmissionFindingStore(deps: { readonly db: Db }) {
  const { db } = deps;
  return {
    /** Adds to what is kept about a cluster; the same finding counts up. `now` in epoch ms. */
    async add(cluster: string, findings: readonly AdmissionFindingRow[], now: number): Promise<void> {
      if (findings.length === 0) return;
      const rows = merged(cluster, findings);
      await db.transaction().execute(async (tx) => {
        for (const batch of batches(rows)) await upsert(tx, batch);
        await tellOfDenials(tx, rows, now);
        await prune(tx, cluster, now);
      });
    },
  };
}

/** The same about the same owner at most once an hour: controllers try again all the time. */
async function tellOfDenials(tx: Tx, rows: readonly Row<'admission_findings'>[], now: number): Promise<void> {
  for (const row of rows) {
    if (row.action !== 'denied') continue;
    if (!(await onlyOnce(tx, `ADMISSION_DENIED ${row.cluster} ${row.key}`, { now, until: now + TOLD_AGAIN_MS })))
      continue;
    await addEvents(tx, [
      {
        type: 'ADMISSION_DENIED',
        subject: `cluster/${row.cluster}/${row.namespace}/${row.owner_kind}/${row.owner_name}`,
        at: row.last_at,
        data: {
          cluster: row.cluster,
          constraint: { kind: row.constraint_kind, name: row.constraint_name },
          object: { apiVersion: row.api_version, kind: row.kind, namespace: row.namespace, name: row.name },
          image: row.image,
          message: row.message,
          by: row.requested_by,
          times: row.times,
        },
      },
    ]);
  }
}

/** One statement must not write a row twice. */
function merged(cluster: string, findings: readonly AdmissionFindingRow[]): Row<'admission_findings'>[] {
  const rows = new Map<string, Row<'admission_findings'>>();
  for (const one of findings) {
    const row = toRow(cluster, one);
    const before = rows.get(row.key);
    if (before === undefined) rows.set(row.key, row);
    else {
      const newest = row.last_at >= before.last_at ? row : before;
      rows.set(row.key, {
        ...newest,
        times: before.times + row.times,
        first_at: Math.min(before.first_at, row.first_at),
      });
    }
  }
  return [...rows.values()];
}

async function upsert(tx: Tx, rows: readonly Row<'admission_findings'>[]): Promise<void> {
  await tx
    .insertInto('admission_findings')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['cluster', 'key']).doUpdateSet({
        name: (eb) => eb.ref('excluded.name'),
        requested_by: (eb) => eb.ref('excluded.requested_by'),
        times: sql<number>`admission_findings.times + excluded.times`,
        first_at: sql<number>`case when excluded.first_at < admission_findings.first_at
          then excluded.first_at else admission_findings.first_at end`,
        last_at: sql<number>`case when excluded.last_at > admission_findings.last_at
          then excluded.last_at else admission_findings.last_at end`,
      }),
    )
    .execute();
}

async function prune(tx: Tx, cluster: string, now: number): Promise<void> {
  await tx
    .deleteFrom('admission_findings')
    .where('cluster', '=', cluster)
    .where('last_at', '<', now - KEPT_MS)
    .execute();
  const old = await tx
    .selectFrom('admission_findings')
    .select('key')
    .where('cluster', '=', cluster)
    .orderBy('last_at', 'desc')
    .offset(MOST_PER_CLUSTER)
    .limit(DELETED_AT_ONCE)
    .execute();
  for (const batch of batches(old.map(({ key }) => key)))
    await tx.deleteFrom('admission_findings').where('cluster', '=', cluster).where('key', 'in', batch).execute();
}

function toRow(cluster: string, one: AdmissionFindingRow): Row<'admission_findings'> {
  return {
    cluster,
    key: keyOf([
      one.constraintKind,
      one.constraint,
      one.action,
      one.namespace,
      one.ownerKind,
      one.ownerName,
      one.image,
      one.message,
    ]),
    constraint_kind: one.constraintKind,
    constraint_name: one.constraint,
    action: one.action,
    api_version: one.apiVersion,
    kind: one.kind,
    namespace: one.namespace,
    name: one.name,
    owner_kind: one.ownerKind,
    owner_name: one.ownerName,
    image: one.image,
    message: one.message,
    requested_by: one.user,
    times: one.times,
    first_at: one.firstAt,
    last_at: one.lastAt,
  };
}

export function admissionFindingOf(row: Row<'admission_findings'>): StoredAdmissionFinding {
  return {
    cluster: row.cluster,
    constraintKind: row.constraint_kind,
    constraint: row.constraint_name,
    action: row.action,
    apiVersion: row.api_version,
    kind: row.kind,
    namespace: row.namespace,
    name: row.name,
    ownerKind: row.owner_kind,
    ownerName: row.owner_name,
    image: row.image,
    message: row.message,
    user: row.requested_by,
    times: row.times,
    firstAt: row.first_at,
    lastAt: row.last_at,
  };
}
