import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { type Reference, tryParseReference } from '../oci/reference.ts';

const DAY_MS = 86_400_000;
/** An image that an audit saw running within this time before the last one of its cluster is kept. */
const RUNNING_MS = 30 * DAY_MS;
/** A cluster that was not audited for so long is taken for gone. */
const GONE_MS = 400 * DAY_MS;

/** What runs, as far as audits saw it: by digest and by the reference it was started with, each with one place where it runs. */
export interface RunningImages {
  readonly digests: ReadonlyMap<string, string>;
  readonly references: readonly { readonly reference: Reference; readonly place: string }[];
}

/** Reads what audits of all clusters saw running. While a cluster cannot be audited, what ran there last counts. */
export async function readRunningImages(db: Db, now: number): Promise<RunningImages> {
  const rows = await seenLately(db, now)
    .select(['i.cluster', 'i.namespace', 'i.kind', 'i.name', 'i.image', 'i.digest'])
    .orderBy('i.cluster')
    .orderBy('i.namespace')
    .orderBy('i.name')
    .execute();
  const digests = new Map<string, string>();
  const references = new Map<string, { reference: Reference; place: string }>();
  for (const { cluster, namespace, kind, name, image, digest } of rows) {
    const place = `${kind} ${namespace === '' ? '' : `${namespace}/`}${name} of cluster ${cluster}`;
    const reference = tryParseReference(image);
    if (reference && !references.has(image)) references.set(image, { reference, place });
    for (const known of [digest, reference?.digest])
      if (known !== undefined && known !== null && !digests.has(known)) digests.set(known, place);
  }
  return { digests, references: [...references.values()] };
}

/** True when an audit saw the image of that digest running. */
export async function isRunning(db: Db, digest: string, now: number): Promise<boolean> {
  const row = await seenLately(db, now).select('i.digest').where('i.digest', '=', digest).limit(1).executeTakeFirst();
  return row !== undefined;
}

function seenLately(db: Db, now: number) {
  return db
    .selectFrom('running_images as i')
    .where('i.last_seen', '>', now - GONE_MS)
    .where((eb) =>
      eb.or([
        eb('i.last_seen', '>', now - RUNNING_MS),
        eb(
          'i.last_seen',
          '>',
          eb
            .selectFrom('audit_runs as a')
            .select(sql<number>`max(a.finished_at) - ${sql.lit(RUNNING_MS)}`.as('at'))
            .whereRef('a.cluster', '=', 'i.cluster'),
        ),
      ]),
    );
}
