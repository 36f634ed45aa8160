import type { Db } from '../db/database.ts';
import { enqueueJudging } from './ingest.ts';
import type { JobSink } from './ports.ts';
import { asSubject, selectSubjects } from './subjects.ts';

/**
 * Puts to be judged what a stop left behind: manifests stored without a verdict, and images whose inventory an older
 * analyser made (their verdicts hold until the new ones are there). Gives their number.
 */
export async function resumeJudging(deps: { db: Db; jobs: JobSink; analyser: { version: string } }): Promise<number> {
  const unjudged = await selectSubjects(deps.db)
    .leftJoin('verdicts as v', (join) =>
      join.onRef('v.repository_id', '=', 'm.repository_id').onRef('v.digest', '=', 'm.digest'),
    )
    .where('v.digest', 'is', null)
    .execute();
  const outdated = await selectSubjects(deps.db)
    .innerJoin('images as i', 'i.digest', 'm.digest')
    .innerJoin('inventories as n', 'n.hash', 'i.inventory_hash')
    .where('n.analyser', '<>', deps.analyser.version)
    .execute();
  const subjects = [...unjudged, ...outdated].map(asSubject);
  for (const subject of subjects) await enqueueJudging(deps.jobs, subject);
  return subjects.length;
}
