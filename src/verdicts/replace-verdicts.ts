import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import { keepFindings } from '../findings/keep.ts';
import type { KnownFindings } from '../findings/known-findings.ts';
import { addEventRows } from '../notify/outbox.ts';
import { startClocks } from './clock-store.ts';
import type { Prepared } from './prepared.ts';
import { subjectKey } from './subjects.ts';

/** What became of a verdict; `lost` when the one it was computed against was replaced or marked meanwhile. */
export type Outcome = 'changed' | 'same' | 'lost';

/**
 * Puts many verdicts in the places of those they were computed against, starts their clocks, notes what changed and has it told,
 * and the list of findings say it, in one transaction. Gives what became of each, in their order.
 */
export async function replaceVerdicts(
  db: Db,
  replacements: readonly Prepared[],
  known: KnownFindings,
): Promise<readonly Outcome[]> {
  if (replacements.length === 0) return [];
  return db.transaction().execute(async (tx) => {
    await startClocks(
      tx,
      replacements.map(({ subject, reckoning }) => ({ ...subject, reckoning })),
    );
    const written = await writeAll(tx, replacements);
    const kept = replacements.filter(({ subject }) => written.has(subjectKey(subject)));
    await keepFindings(
      tx,
      kept.map(({ subject, found }) => ({ ...subject, found })),
      known,
      { newest: true },
    );
    const rows = kept.flatMap(asChange);
    if (rows.length > 0) await tx.insertInto('verdict_changes').values(rows).execute();
    await addEventRows(
      tx,
      kept.flatMap(({ change }) => (change ? [change.event] : [])),
    );
    return replacements.map(({ subject, change }): Outcome => {
      if (!written.has(subjectKey(subject))) return 'lost';
      return change ? 'changed' : 'same';
    });
  });
}

/** One statement for all, whatever the engine; its first words say that it changes verdicts alone (`db/changes.ts`). */
async function writeAll(tx: Tx, replacements: readonly Prepared[]): Promise<ReadonlySet<string>> {
  const rows = replacements.map(
    ({ subject, revision, verdict }) =>
      sql`(${subject.repositoryId}, ${subject.digest}, ${verdict.kind}, ${verdict.document},
      ${verdict.advisories}, cast(${verdict.policyVersion} as bigint), cast(${verdict.judgedAt} as bigint),
      cast(${verdict.changesAt} as bigint), cast(${verdict.becomes} as text),
      cast(${revision.judgedAt} as bigint), cast(${revision.changesAt} as bigint))`,
  );
  const written = await sql<{
    repository_id: string;
    digest: string;
  }>`update verdicts set kind = n.kind, document = n.document, advisories = n.advisories,
      policy_version = n.policy_version, judged_at = n.judged_at, changes_at = n.changes_at, becomes = n.becomes
    from (with n (repository_id, digest, kind, document, advisories, policy_version, judged_at, changes_at, becomes,
      old_judged, old_changes) as (values ${sql.join(rows)}) select * from n) as n
    where verdicts.repository_id = n.repository_id and verdicts.digest = n.digest
      and verdicts.judged_at = n.old_judged and verdicts.changes_at is not distinct from n.old_changes
    returning verdicts.repository_id, verdicts.digest`.execute(tx);
  return new Set(written.rows.map((row) => `${row.repository_id} ${row.digest}`));
}

function asChange({ subject, previous, verdict, change }: Prepared) {
  if (!change) return [];
  return [
    {
      repository_id: subject.repositoryId,
      repository: subject.repository,
      digest: subject.digest,
      previous,
      kind: verdict.kind,
      cause: change.cause,
      document: change.document,
      at: verdict.judgedAt,
    },
  ];
}
