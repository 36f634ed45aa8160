import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import { keepFindings } from '../findings/keep.ts';
import type { FindingMemory } from '../findings/known-findings.ts';
import type { Verdict } from '../model/verdict.ts';
import { addEvents } from '../notify/outbox.ts';
import { startClocks } from './clock-store.ts';
import type { Cause } from './ports.ts';
import type { Reckoning } from './reckon.ts';
import { type Subject, subjectKey } from './subjects.ts';
import { changeDocumentOf, type DocumentTexts, documentOf } from './verdict-document.ts';
import { verdictChanged } from './verdict-events.ts';
import { type ChangeDocument, causeOf, describeChange, type StoredVerdict } from './verdict-store.ts';

/** A verdict that was computed in the place of another. */
export interface Replacement {
  readonly subject: Subject;
  readonly before: StoredVerdict;
  readonly verdict: Verdict;
  /** The clocks it counts on. */
  readonly reckoning: Reckoning;
}

/** What is remembered from one call to the next. */
export interface ReplaceMemory {
  readonly texts: DocumentTexts;
  readonly findings: FindingMemory;
}

/**
 * Puts many verdicts in the places of those they were computed against, starts their clocks, notes what changed and has it told,
 * and the list of findings say it, in one transaction. Gives what became of each by `subjectKey`; `lost` are those whose kept verdict was replaced or marked meanwhile.
 */
export async function replaceVerdicts(
  db: Db,
  replacements: readonly Replacement[],
  cause: Cause,
  { texts, findings }: ReplaceMemory,
): Promise<ReadonlyMap<string, 'changed' | 'same' | 'lost'>> {
  const outcomes = new Map<string, 'changed' | 'same' | 'lost'>(
    replacements.map(({ subject }) => [subjectKey(subject), 'lost']),
  );
  if (replacements.length === 0) return outcomes;
  // Before the transaction: nobody can write while it is open.
  const documents = replacements.map(({ verdict }) => documentOf(verdict, texts));
  const described = replacements.map(({ before, verdict }) => describeChange(before.verdict, verdict));
  await db.transaction().execute(async (tx) => {
    await startClocks(
      tx,
      replacements.map(({ subject, reckoning }) => ({ ...subject, reckoning })),
    );
    const written = await writeAll(tx, replacements, documents);
    const kept = replacements.filter(({ subject }) => subject.kind !== 'index' && written.has(subjectKey(subject)));
    await keepFindings(
      tx,
      kept.map(({ subject, verdict }) => ({ ...subject, verdict })),
      findings,
      { newest: true },
    );
    const changes: Changed[] = [];
    for (const [at, replacement] of replacements.entries()) {
      const key = subjectKey(replacement.subject);
      if (!written.has(key)) continue;
      const change = described[at];
      outcomes.set(key, change ? 'changed' : 'same');
      if (change) changes.push({ ...replacement, change, cause: causeOf(cause, replacement.before, change) });
    }
    if (changes.length === 0) return;
    await tx
      .insertInto('verdict_changes')
      .values(changes.map(asRow(texts)))
      .execute();
    await addEvents(
      tx,
      changes.map(({ subject, before, verdict, change, cause: own }) =>
        verdictChanged(subject, before.verdict.kind, verdict, { change, cause: own }),
      ),
    );
  });
  return outcomes;
}

/** One statement for all, whatever the engine. */
async function writeAll(
  tx: Tx,
  replacements: readonly Replacement[],
  documents: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = replacements.map(({ subject, before, verdict }, at) => {
    const { judgedAt, changesAt } = before.revision;
    return sql`(${subject.repositoryId}, ${subject.digest}, ${verdict.kind}, ${documents[at]},
      ${verdict.inputs.advisories}, cast(${verdict.inputs.policy} as bigint), cast(${verdict.judgedAt} as bigint),
      cast(${verdict.changesAt ?? null} as bigint), cast(${verdict.becomes ? JSON.stringify(verdict.becomes) : null} as text),
      cast(${judgedAt} as bigint), cast(${changesAt} as bigint))`;
  });
  const written = await sql<{ repository_id: string; digest: string }>`
    with n (repository_id, digest, kind, document, advisories, policy_version, judged_at, changes_at, becomes, old_judged, old_changes)
      as (values ${sql.join(rows)})
    update verdicts set kind = n.kind, document = n.document, advisories = n.advisories,
      policy_version = n.policy_version, judged_at = n.judged_at, changes_at = n.changes_at, becomes = n.becomes
    from n where verdicts.repository_id = n.repository_id and verdicts.digest = n.digest
      and verdicts.judged_at = n.old_judged and verdicts.changes_at is not distinct from n.old_changes
    returning verdicts.repository_id, verdicts.digest`.execute(tx);
  return new Set(written.rows.map((row) => `${row.repository_id} ${row.digest}`));
}

type Changed = Replacement & { readonly change: ChangeDocument; readonly cause: Cause };

function asRow(texts: DocumentTexts) {
  return ({ subject, before, verdict, change, cause }: Changed) => ({
    repository_id: subject.repositoryId,
    repository: subject.repository,
    digest: subject.digest,
    previous: before.verdict.kind,
    kind: verdict.kind,
    cause,
    document: changeDocumentOf(change, texts),
    at: verdict.judgedAt,
  });
}
