import type { Db } from '../db/database.ts';
import type { Verdict, VerdictKind } from '../model/verdict.ts';
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
  readonly verdict?: Verdict;
}

/** A manifest whose decision would be another one. */
export interface Difference {
  readonly subject: Subject;
  readonly former: Former;
  readonly verdict: Verdict;
}

/** Names the rules behind each difference: those of the stricter of its two verdicts. */
export async function describeDifferences(db: Db, differences: readonly Difference[]): Promise<readonly ImageChange[]> {
  const released = differences.filter(
    ({ former, verdict }) => former.verdict === undefined && milder(former.kind, verdict.kind) === verdict.kind,
  );
  const kept = new Map<string, Verdict>();
  for (let start = 0; start < released.length; start += DOCUMENTS)
    for (const [key, { verdict }] of await readVerdicts(
      db,
      released.slice(start, start + DOCUMENTS).map(({ subject }) => subject),
    ))
      kept.set(key, verdict);
  return differences.map(({ subject, former, verdict }) => ({
    repository: subject.repository,
    digest: subject.digest,
    before: former.kind,
    after: verdict.kind,
    rules: rulesOf(
      milder(former.kind, verdict.kind) === former.kind ? verdict : (former.verdict ?? kept.get(subjectKey(subject))),
    ),
    why: explain(verdict),
  }));
}

/** The rules that ask for a decision. */
export function rulesOf(verdict: Verdict | undefined): readonly string[] {
  if (!verdict) return [];
  const rules = new Set(countingReasons(verdict).map(({ rule }) => rule));
  // What its platforms come to says nothing that their own rules do not say.
  if (rules.size > 1) rules.delete('platform');
  return [...rules].sort();
}
