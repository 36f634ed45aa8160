import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { parseDigest } from '../oci/digest.ts';
import { advisoriesVersion } from '../verdicts/compute-others.ts';
import { manifestsAfter } from '../verdicts/manifests-after.ts';
import type { Sources } from '../verdicts/sources.ts';
import { asSubject, type Subject, subjectKey } from '../verdicts/subjects.ts';

/** Manifests judged at once: few enough to be held, many enough that statements cost little. */
const PAGE = 200;

/** A stored manifest with the decision that is kept about it. */
export interface Stored {
  readonly subject: Subject;
  readonly kind: VerdictKind;
  readonly policyVersion: number;
  readonly advisories: string;
  readonly changesAt: number | null;
}

/** Everything that has a verdict, of one project or in all, page by page: images and artifacts first, then indexes. */
export async function* storedManifests(db: Db, projectId?: string): AsyncGenerator<readonly Stored[]> {
  for (const indexes of [false, true]) {
    let after: Subject | undefined;
    for (;;) {
      const rows = await manifestsAfter(db, after, { indexes, projectId, limit: PAGE })
        .select(['v.kind as decision', 'v.policy_version', 'v.advisories', 'v.changes_at'])
        .execute();
      const page = rows.flatMap((row): readonly Stored[] =>
        row.decision === null || row.policy_version === null || row.advisories === null
          ? []
          : [
              {
                subject: asSubject(row),
                kind: row.decision as VerdictKind,
                policyVersion: row.policy_version,
                advisories: row.advisories,
                changesAt: row.changes_at,
              },
            ],
      );
      if (page.length > 0) yield page;
      const last = rows.at(-1);
      if (!last || rows.length < PAGE) break;
      after = asSubject(last);
    }
  }
}

/** True when the kept decision is the one that a pull would get now. */
export async function holds(sources: Sources, stored: Stored): Promise<boolean> {
  const { version } = await sources.policies.effectivePolicy(stored.subject.projectId);
  return (
    stored.policyVersion === version &&
    stored.advisories === advisoriesVersion(sources) &&
    (stored.changesAt === null || stored.changesAt > sources.clock.now())
  );
}

/** Keys of those manifests that have a verdict. */
export async function judgedKeys(db: Db, subjects: readonly Subject[]): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const [repositoryId, own] of Map.groupBy(subjects, (subject) => subject.repositoryId))
    for (const batch of batches(own.map(({ digest }) => digest))) {
      const rows = await db
        .selectFrom('verdicts')
        .select('digest')
        .where('repository_id', '=', repositoryId)
        .where('digest', 'in', batch)
        .execute();
      for (const { digest } of rows) keys.add(subjectKey({ repositoryId, digest: parseDigest(digest) }));
    }
  return keys;
}
