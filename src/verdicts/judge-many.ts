import type { Db } from '../db/database.ts';
import type { KnownFindings } from '../findings/known-findings.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { breathe } from '../platform/breathe.ts';
import { computeMany, createManyMemory as createMemory, type ManyMemory as Memory } from './compute-many.ts';
import type { Cause } from './ports.ts';
import { type Prepared, type PrepareMemory, prepare } from './prepared.ts';
import { replaceVerdicts } from './replace-verdicts.ts';
import type { Sources } from './sources.ts';
import { type Subject, subjectKey } from './subjects.ts';
import { readVerdicts } from './verdict-store.ts';

/** What is worth remembering from one part of a long judging to the next. */
export interface ManyMemory extends Memory, PrepareMemory {}

export function createManyMemory(): ManyMemory {
  return { ...createMemory(), texts: new WeakMap(), lines: new WeakMap() };
}

/** Stored images with the verdicts that they come to. */
export interface ComputedMany {
  readonly subjects: readonly Subject[];
  readonly replacements: readonly Prepared[];
  /** False once something they rest on has changed; absent where such a change is known by the kept verdicts alone. */
  readonly holds?: () => boolean;
}

/** A verdict that took the place of another. */
export interface Replaced {
  readonly previous: VerdictKind | undefined;
  readonly kind: VerdictKind;
  /** In kind or in the set of reasons. */
  readonly changed: boolean;
}

export interface ManyJudged {
  readonly replaced: readonly Replaced[];
  /** Those that need to be judged one by one: without a kept verdict or inventory, or overtaken meanwhile. */
  readonly rest: readonly Subject[];
}

/**
 * Judges stored images that were judged before, all with a handful of statements, and keeps nothing. What is kept is read before the
 * inputs. Same verdicts as one by one.
 */
export async function computeAgain(
  deps: Sources,
  subjects: readonly Subject[],
  cause: Cause,
  memory: ManyMemory,
): Promise<ComputedMany> {
  if (subjects.length === 0) return { subjects, replacements: [] };
  const kept = await readVerdicts(deps.db, subjects);
  await breathe();
  const judged = subjects.filter((subject) => kept.has(subjectKey(subject)));
  const computed = await computeMany(deps, judged, memory);
  await breathe();
  const replacements = computed.flatMap((one) => {
    const before = kept.get(subjectKey(one.subject));
    return before ? [prepare(one, before, cause, memory)] : [];
  });
  await breathe();
  return { subjects, replacements };
}

/** Keeps what images came to, only where nobody else has replaced what was kept meanwhile. */
export async function keepAgain(
  db: Db,
  { subjects, replacements }: ComputedMany,
  known: KnownFindings,
): Promise<ManyJudged> {
  const outcomes = await replaceVerdicts(db, replacements, known);
  const finished = new Set<string>();
  const replaced = replacements.flatMap(({ subject, previous, verdict: { kind } }, at): Replaced[] => {
    const outcome = outcomes[at];
    if (outcome === 'lost') return [];
    finished.add(subjectKey(subject));
    return [{ previous, kind, changed: outcome === 'changed' }];
  });
  return { replaced, rest: subjects.filter((subject) => !finished.has(subjectKey(subject))) };
}
