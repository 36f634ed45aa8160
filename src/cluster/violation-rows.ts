import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { ClusterAudit, ClusterViolation } from './audit-values.ts';
import { keyOf } from './finding-key.ts';

/** A violation that stands, and since when an audit has seen it, epoch ms. */
export interface StandingViolation extends ClusterViolation {
  readonly cluster: string;
  readonly since: number;
}

/** Brings what stands to what a pass found. A kind that it could not see loses nothing. */
export async function writeViolations(tx: Tx, audit: ClusterAudit): Promise<void> {
  const { cluster, finishedAt } = audit;
  const found = new Map(audit.violations.map((one) => [violationKey(one), one]));
  const held = await tx
    .selectFrom('cluster_violations')
    .select(['key', 'kind', 'action', 'away', 'api_version'])
    .where('cluster', '=', cluster)
    .execute();
  const unseen = new Set(audit.incomplete.map(({ kind }) => kind));
  const gone: string[] = [];
  for (const { key, kind, action, away, api_version } of held) {
    const now = found.get(key);
    if (now === undefined) {
      if (!unseen.has(kind)) gone.push(key);
    } else if (now.action === action && now.version === api_version && awayBit(now) === away) found.delete(key);
  }
  for (const batch of batches(gone))
    await tx.deleteFrom('cluster_violations').where('cluster', '=', cluster).where('key', 'in', batch).execute();
  for (const batch of batches([...found]))
    await tx
      .insertInto('cluster_violations')
      .values(batch.map(([key, one]) => ({ cluster, key, ...toRow(one), first_seen: finishedAt })))
      .onConflict((conflict) =>
        conflict.columns(['cluster', 'key']).doUpdateSet({
          action: (eb) => eb.ref('excluded.action'),
          api_version: (eb) => eb.ref('excluded.api_version'),
          away: (eb) => eb.ref('excluded.away'),
        }),
      )
      .execute();
}

/** Everything that stands in a cluster, by what it concerns. */
export async function standingViolations(db: Db, cluster: string): Promise<StandingViolation[]> {
  const rows = await db
    .selectFrom('cluster_violations')
    .selectAll()
    .where('cluster', '=', cluster)
    .orderBy('namespace')
    .orderBy('kind')
    .orderBy('name')
    .orderBy('constraint_name')
    .orderBy('key')
    .execute();
  return rows.map(fromRow);
}

export function fromRow(row: Row<'cluster_violations'>): StandingViolation {
  const { cluster, kind, namespace, name, action, message, image } = row;
  return {
    cluster,
    ...(row.constraint_kind === '' ? {} : { constraintKind: row.constraint_kind }),
    constraint: row.constraint_name,
    action,
    group: row.api_group,
    version: row.api_version,
    kind,
    namespace,
    name,
    ...(image === '' ? {} : { image }),
    message,
    ...(row.away === 1 ? { admittedWhileAway: true as const } : {}),
    since: row.first_seen,
  };
}

function violationKey(one: ClusterViolation): string {
  const { constraintKind = '', constraint, group, kind, namespace, name, message } = one;
  return keyOf([constraintKind, constraint, group, kind, namespace, name, message]);
}

function toRow(one: ClusterViolation): Omit<Row<'cluster_violations'>, 'cluster' | 'key' | 'first_seen'> {
  return {
    constraint_kind: one.constraintKind ?? '',
    constraint_name: one.constraint,
    action: one.action,
    api_group: one.group,
    api_version: one.version,
    kind: one.kind,
    namespace: one.namespace,
    name: one.name,
    image: one.image ?? '',
    message: one.message,
    away: awayBit(one),
  };
}

function awayBit(one: ClusterViolation): 0 | 1 {
  return one.admittedWhileAway ? 1 : 0;
}
