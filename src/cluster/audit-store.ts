import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Digest } from '../oci/digest.ts';
import { newId } from '../platform/ids.ts';
import type { ClusterAudit, ClusterImage } from './audit-values.ts';
import { type FindingFilter, listFindings } from './finding-list.ts';
import { type StandingViolation, standingViolations, writeViolations } from './violation-rows.ts';

export type { ClusterAudit, ClusterImage, ClusterViolation } from './audit-values.ts';

/** A recorded pass, without its violations. */
export interface AuditRunView {
  readonly id: string;
  readonly cluster: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly objects: number;
  readonly violations: number;
  readonly incomplete: readonly { readonly kind: string; readonly reason: string }[];
}

/** An image that runs or ran, and since when it was seen. */
export interface SeenImage extends ClusterImage {
  readonly cluster: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

const ROWS_AT_ONCE = 500;
const RUNS_KEPT = 100;
const IMAGES_KEPT_MS = 400 * 86_400_000;

/** Keeps what audits of clusters found: the newest hundred passes of each cluster, and images seen in the last 400 days. */
export type ClusterAuditStore = ReturnType<typeof createClusterAuditStore>;

export function createClusterAuditStore(deps: { readonly db: Db }) {
  const { db } = deps;

  async function latestRun(cluster: string): Promise<AuditRunView | undefined> {
    const [run] = await runs(cluster, 1);
    return run;
  }

  async function runs(cluster: string, limit: number): Promise<AuditRunView[]> {
    const rows = await newestRuns(db, cluster).selectAll().limit(limit).execute();
    return rows.map(toRun);
  }

  return {
    /** Stores a pass as a whole, or not at all. */
    async recordAudit(audit: ClusterAudit): Promise<void> {
      const id = newId();
      await db.transaction().execute(async (tx) => {
        await tx
          .insertInto('audit_runs')
          .values({
            id,
            cluster: audit.cluster,
            started_at: audit.startedAt,
            finished_at: audit.finishedAt,
            objects: audit.objects,
            violations: audit.violations.length,
            incomplete: JSON.stringify(audit.incomplete),
          })
          .execute();
        if (audit.unchanged === true) await keepImages(tx, audit, id);
        else {
          await writeViolations(tx, audit);
          await writeImages(tx, audit);
        }
        await prune(tx, audit);
      });
    },

    /** The newest pass over a cluster; undefined when there was none. */
    latestRun,
    /** Newest first. */
    runs,

    /** Names of the clusters that were ever audited. */
    async clusters(): Promise<string[]> {
      const rows = await db.selectFrom('audit_runs').select('cluster').distinct().orderBy('cluster').execute();
      return rows.map(({ cluster }) => cluster);
    },

    /** What stands in a cluster, by what it concerns: found by the newest pass, or by the last that saw its kind. */
    violations: (cluster: string): Promise<StandingViolation[]> => standingViolations(db, cluster),

    /** A page of what stands everywhere, and of what admission said; undefined for an `after` that is none of ours. */
    findings: (filter: FindingFilter, page: { readonly limit: number; readonly after?: string | undefined }) =>
      listFindings(db, filter, page),

    /**
     * Images by where they run. `current` leaves out those that the newest complete pass did not see any more; a pass that
     * could not list everything takes nothing away.
     */
    async images(query: { readonly cluster?: string; readonly current?: boolean } = {}): Promise<SeenImage[]> {
      let select = db.selectFrom('running_images').selectAll();
      if (query.cluster !== undefined) select = select.where('cluster', '=', query.cluster);
      if (query.current === true)
        select = select.where('last_seen', '>=', (eb) =>
          eb
            .selectFrom('audit_runs')
            .select(sql<number>`coalesce(max(finished_at), 0)`.as('at'))
            .whereRef('audit_runs.cluster', '=', 'running_images.cluster')
            .where('incomplete', '=', '[]'),
        );
      const rows = await select
        .orderBy('cluster')
        .orderBy('namespace')
        .orderBy('kind')
        .orderBy('name')
        .orderBy('container')
        .execute();
      return rows.map(toImage);
    },
  };
}

/** Since when an image is seen counts from when this very image came to run there. */
async function writeImages(tx: Tx, { cluster, finishedAt, running }: ClusterAudit): Promise<void> {
  // Pods of one owner share a row, and one statement must not write a row twice.
  const byPlace = new Map(
    running.map((image) => [JSON.stringify([image.namespace, image.kind, image.name, image.container]), image]),
  );
  for (const batch of batches([...byPlace.values()]))
    await tx
      .insertInto('running_images')
      .values(
        batch.map(({ namespace, kind, name, container, image, digest }) => ({
          cluster,
          namespace,
          kind,
          name,
          container,
          image,
          digest: digest ?? null,
          first_seen: finishedAt,
          last_seen: finishedAt,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['cluster', 'namespace', 'kind', 'name', 'container']).doUpdateSet({
          first_seen: sql<number>`case when running_images.image = excluded.image
            and coalesce(running_images.digest, '') = coalesce(excluded.digest, '')
            then running_images.first_seen else excluded.first_seen end`,
          image: (eb) => eb.ref('excluded.image'),
          digest: (eb) => eb.ref('excluded.digest'),
          last_seen: (eb) => eb.ref('excluded.last_seen'),
        }),
      )
      .execute();
}

/** What was running goes on: its rows are those that the pass before has touched. */
async function keepImages(tx: Tx, { cluster, finishedAt }: ClusterAudit, id: string): Promise<void> {
  const before = await newestRuns(tx, cluster).select('finished_at').where('id', '!=', id).limit(1).executeTakeFirst();
  if (before === undefined) return;
  await tx
    .updateTable('running_images')
    .set({ last_seen: finishedAt })
    .where('cluster', '=', cluster)
    .where('last_seen', '=', before.finished_at)
    .execute();
}

async function prune(tx: Tx, { cluster, finishedAt }: ClusterAudit): Promise<void> {
  const old = await newestRuns(tx, cluster).select('id').offset(RUNS_KEPT).limit(ROWS_AT_ONCE).execute();
  const ids = old.map(({ id }) => id);
  if (ids.length > 0) {
    await tx.deleteFrom('audit_runs').where('id', 'in', ids).execute();
  }
  await tx
    .deleteFrom('running_images')
    .where('cluster', '=', cluster)
    .where('last_seen', '<', finishedAt - IMAGES_KEPT_MS)
    .execute();
}

function newestRuns(db: Db, cluster: string) {
  return db.selectFrom('audit_runs').where('cluster', '=', cluster).orderBy('finished_at', 'desc').orderBy('id');
}

function toRun({
  id,
  cluster,
  started_at,
  finished_at,
  objects,
  violations,
  incomplete,
}: Row<'audit_runs'>): AuditRunView {
  return {
    id,
    cluster,
    startedAt: started_at,
    finishedAt: finished_at,
    objects,
    violations,
    incomplete: JSON.parse(incomplete) as AuditRunView['incomplete'],
  };
}

function toImage({ first_seen, last_seen, digest, ...place }: Row<'running_images'>): SeenImage {
  return {
    ...place,
    ...(digest === null ? {} : { digest: digest as Digest }),
    firstSeen: first_seen,
    lastSeen: last_seen,
  };
}
