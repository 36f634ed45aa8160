import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { ToldVerdict, VerdictKind } from '../model/verdict.ts';
import { countingReasons, explain } from '../policy/explain.ts';
import { milder } from '../policy/reason-order.ts';
import { type Subject, subjectKey } from '../verdicts/subjects.ts';
import { readVerdicts } from '../verdicts/verdict-store.ts';
import type { ImageChange } from './outcome.ts';

/** Kept verdicts read at once: each may have a hundred kilobytes. */
const DOCUMENTS = 25;

/** The decision that holds now; the whole verdict where the kept one had been overtaken. */
export interface Former {
  readonly kind: VerdictKind;
  readonly verdict?: ToldVerdict;
}

/** A manifest whose decision would be another one. */
export interface Difference {
  readonly subject: Subject;
  readonly former: Former;
  readonly verdict: ToldVerdict;
}

/** Names the rules behind each difference: those of the stricter of its two verdicts. */
export async function describeDifferences(db: Db, differences: readonly Difference[]): Promise<readonly ImageChange[]> {
  const released = differences.filter(
    ({ former, verdict }) => former.verdict === undefined && milder(former.kind, verdict.kind) === verdict.kind,
  );
  const kept = new Map<string, ToldVerdict>();
  for (let start = 0; start < released.length; start += DOCUMENTS)
    for (const [key, { verdict }] of await readVerdicts(
      db,
      released.slice(start, start + DOCUMENTS).map(({ subject }) => subject),
    ))
      kept.set(key, verdict);
  const tags = await newestTags(
    db,
    differences.map(({ subject }) => subject),
  );
  return differences.map(({ subject, former, verdict }) => ({
    repository: subject.repository,
    digest: subject.digest,
    ...present(tags.get(subjectKey(subject))),
    before: former.kind,
    after: verdict.kind,
    rules: rulesOf(
      milder(former.kind, verdict.kind) === former.kind ? verdict : (former.verdict ?? kept.get(subjectKey(subject))),
    ),
    why: explain(verdict),
  }));
}

/** The rules that ask for a decision. */
export function rulesOf(verdict: ToldVerdict | undefined): readonly string[] {
  if (!verdict) return [];
  const rules = new Set(countingReasons(verdict).map(({ rule }) => rule));
  // What its platforms come to says nothing that their own rules do not say.
  if (rules.size > 1) rules.delete('platform');
  return [...rules].sort();
}

function present(tag: string | undefined): { readonly tag?: string } {
  return tag === undefined ? {} : { tag };
}

/** The newest tag of each manifest that has any. */
async function newestTags(db: Db, subjects: readonly Subject[]): Promise<ReadonlyMap<string, string>> {
  const tags = new Map<string, string>();
  for (const [repositoryId, own] of Map.groupBy(subjects, (subject) => subject.repositoryId))
    for (const batch of batches(own.map(({ digest }) => digest))) {
      const rows = await db
        .selectFrom('tags')
        .select(['name', 'digest'])
        .where('repository_id', '=', repositoryId)
        .where('digest', 'in', batch)
        .orderBy('updated_at')
        .orderBy('name', 'desc')
        .execute();
      for (const { name, digest } of rows) tags.set(`${repositoryId} ${digest}`, name);
    }
  return tags;
}
