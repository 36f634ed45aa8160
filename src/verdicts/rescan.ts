import { z } from 'zod';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { enqueueJudging, type Ingest } from './ingest.ts';
import type { JobSink } from './ports.ts';
import { asSubject, findSubject, type Subject, selectSubjects, subjectKey } from './subjects.ts';

/** Kind of the job that reads the layers of one image again. */
export const RESCAN_JOB = 'rescan-image';

const payloadSchema = z.object({
  repositoryId: z.string(),
  digest: z.string(),
  since: z.number(),
  unlessComplete: z.boolean(),
});

/** What is to be analysed again: an image, of an index those in it; or everything of which some layer, or all, could not be analysed. */
export type Rescanned = { readonly digest: Digest } | 'failed';

/**
 * Puts to be analysed again what was analysed before, in every repository that holds it, with the verdicts on it. Layers of which a part could
 * not be read are read again, those of a named image all. Gives the number of images.
 */
export async function enqueueRescan(
  { db, jobs, clock }: { readonly db: Db; readonly jobs: JobSink; readonly clock: Clock },
  what: Rescanned,
): Promise<number> {
  const again = { since: clock.now(), unlessComplete: what === 'failed' };
  const subjects = what === 'failed' ? await failedSubjects(db) : await subjectsOf(db, what.digest);
  for (const { analysed, ...subject } of subjects) {
    const { repositoryId, digest } = subject;
    // What has no inventory yet is read as it was the first time; a job that was given up begins anew.
    if (!analysed) await enqueueJudging(jobs, subject);
    else
      await jobs.enqueue({
        kind: RESCAN_JOB,
        key: subjectKey(subject),
        payload: { repositoryId, digest, ...again },
      });
  }
  return subjects.length;
}

/** Does one such job. */
export async function rescanJob(
  { db, ingest }: { readonly db: Db; readonly ingest: Pick<Ingest, 'rescan'> },
  payload: unknown,
): Promise<void> {
  const { repositoryId, digest, ...again } = payloadSchema.parse(payload);
  const subject = await findSubject(db, repositoryId, parseDigest(digest));
  if (subject) await ingest.rescan(subject, again);
}

type Found = Subject & { readonly analysed: boolean };

function selectImages(db: Db) {
  return selectSubjects(db)
    .leftJoin('images as i', 'i.digest', 'm.digest')
    .leftJoin('inventories as n', 'n.hash', 'i.inventory_hash')
    .select('n.hash');
}

async function failedSubjects(db: Db): Promise<readonly Found[]> {
  const rows = await selectImages(db)
    .leftJoin('verdicts as v', (join) =>
      join.onRef('v.repository_id', '=', 'm.repository_id').onRef('v.digest', '=', 'm.digest'),
    )
    .where((where) => where.or([where('v.digest', 'is', null), where('n.complete', '=', 0)]))
    .execute();
  return rows.map((row) => ({ ...asSubject(row), analysed: row.hash !== null }));
}

async function subjectsOf(db: Db, digest: Digest): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const batch of batches([...(await withChildren(db, digest))])) {
    const rows = await selectImages(db).where('m.digest', 'in', batch).where('m.kind', '<>', 'index').execute();
    found.push(...rows.map((row) => ({ ...asSubject(row), analysed: row.hash !== null })));
  }
  return found;
}

/** An index may list others. */
async function withChildren(db: Db, digest: Digest): Promise<ReadonlySet<string>> {
  const all = new Set<string>([digest]);
  for (const parent of all) {
    const rows = await db
      .selectFrom('manifest_children')
      .select('child_digest')
      .where('parent_digest', '=', parent)
      .execute();
    for (const row of rows) all.add(row.child_digest);
  }
  return all;
}
