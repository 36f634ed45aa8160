import type { Db } from '../db/database.ts';
import { createFindingMemory } from '../findings/known-findings.ts';
import { breathe } from '../platform/breathe.ts';
import { computeMany, createManyMemory as createMemory, type ManyMemory as Memory } from './compute-many.ts';
import type { Judgement } from './judging.ts';
import type { Cause } from './ports.ts';
import { type ReplaceMemory, type Replacement, replaceVerdicts } from './replace-verdicts.ts';
import type { Sources } from './sources.ts';
import { type Subject, subjectKey } from './subjects.ts';
import { readVerdicts } from './verdict-store.ts';

/** What is worth remembering from one part of a long judging to the next. */
export interface ManyMemory extends Memory, ReplaceMemory {}

export function createManyMemory(): ManyMemory {
  return { ...createMemory(), texts: new WeakMap(), findings: createFindingMemory() };
}

export interface ManyJudged {
  readonly judgements: readonly Judgement[];
  /** Those that need to be judged one by one: without a kept verdict or inventory, or overtaken meanwhile. */
  readonly rest: readonly Subject[];
}

/** Stored images with the verdicts that they come to. */
export interface ComputedMany {
  readonly subjects: readonly Subject[];
  readonly replacements: readonly Replacement[];
}

/**
 * Judges stored images that were judged before, all with a handful of statements, and keeps nothing. What is kept is read before the
 * inputs. Same verdicts as one by one.
 */
export async function computeAgain(
  deps: Sources,
  subjects: readonly Subject[],
  memory: ManyMemory,
): Promise<ComputedMany> {
  if (subjects.length === 0) return { subjects, replacements: [] };
  const kept = await readVerdicts(deps.db, subjects);
  await breathe();
  const judged = subjects.filter((subject) => kept.has(subjectKey(subject)));
  const replacements = (await computeMany(deps, judged, memory)).flatMap((computed) => {
    const before = kept.get(subjectKey(computed.subject));
    return before ? [{ ...computed, before }] : [];
  });
  await breathe();
  return { subjects, replacements };
}

/** Keeps what images came to, only where nobody else has replaced what was kept meanwhile. */
export async function keepAgain(
  db: Db,
  { subjects, replacements }: ComputedMany,
  cause: Cause,
  memory: ManyMemory,
): Promise<ManyJudged> {
  const outcomes = await replaceVerdicts(db, replacements, cause, memory);
  const done = replacements.filter(({ subject }) => outcomes.get(subjectKey(subject)) !== 'lost');
  const finished = new Set(done.map(({ subject }) => subjectKey(subject)));
  return {
    judgements: done.map(({ subject, before, verdict }) => ({
      verdict,
      previous: before.verdict,
      changed: outcomes.get(subjectKey(subject)) === 'changed',
    })),
    rest: subjects.filter((subject) => !finished.has(subjectKey(subject))),
  };
}
