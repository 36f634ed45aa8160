import { judge } from '../policy/judge.ts';
import { type ClockCache, clocksOfMany } from './clocks-of-many.ts';
import { evaluate, inventoryFacts } from './evaluate.ts';
import type { Judgement, JudgingDeps } from './judging.ts';
import { loadForJudging, type PackageCache } from './package-cache.ts';
import type { Cause } from './ports.ts';
import { type Replacement, replaceVerdicts } from './replace-verdicts.ts';
import { type Subject, subjectKey } from './subjects.ts';
import { readVerdicts } from './verdict-store.ts';

/** What is worth remembering from one part of a long judging to the next. */
export interface ManyMemory {
  readonly packages: PackageCache;
  readonly clocks: ClockCache;
}

export interface ManyJudged {
  readonly judgements: readonly Judgement[];
  /** Those that need to be judged one by one: without a kept verdict or inventory, or overtaken meanwhile. */
  readonly rest: readonly Subject[];
}

/**
 * Judges stored images that were judged before, all with a handful of statements. Same verdicts as one by one: what is kept
 * is read before the inputs and replaced only if nobody else has replaced it.
 */
export async function judgeMany(
  deps: Omit<JudgingDeps, 'serial'>,
  subjects: readonly Subject[],
  cause: Cause,
  memory: ManyMemory,
): Promise<ManyJudged> {
  const { db } = deps;
  const kept = await readVerdicts(db, subjects);
  const hashes = await inventoryHashes(deps, subjects);
  const inventories = await loadForJudging(db, [...new Set(hashes.values())], memory.packages);
  const ready = subjects.flatMap((subject) => {
    const before = kept.get(subjectKey(subject));
    const hash = hashes.get(subject.digest);
    const inventory = hash === undefined ? undefined : inventories.get(hash);
    return before && hash !== undefined && inventory ? [{ subject, before, hash, inventory }] : [];
  });
  const database = deps.advisories.current();
  const evaluated = ready.map((entry) => ({ ...entry, ...evaluate(entry.inventory, database) }));
  const now = deps.clock.now();
  const clocks = await clocksOfMany(db, evaluated, memory.clocks, now);
  const projects = await projectInputs(deps, evaluated);
  const replacements = evaluated.flatMap(
    ({ subject, before, hash, inventory, findings, coverage }, at): Replacement[] => {
      const project = projects.get(subject.projectId);
      if (!project) return [];
      const verdict = judge({
        subject: subject.digest,
        repository: subject.repository,
        inventory: inventoryFacts(hash, inventory),
        findings,
        coverage,
        ...project,
        clocks: clocks[at] ?? [],
        ...(database ? { advisories: { version: database.version, builtAt: Date.parse(database.builtAt) } } : {}),
        now,
      });
      return [{ subject, before, verdict }];
    },
  );
  const outcomes = await replaceVerdicts(db, replacements, cause);
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

async function inventoryHashes(
  { db }: Pick<JudgingDeps, 'db'>,
  subjects: readonly Subject[],
): Promise<ReadonlyMap<string, string>> {
  const digests = [...new Set(subjects.map(({ digest }) => digest))];
  const rows = await db
    .selectFrom('images')
    .select(['digest', 'inventory_hash'])
    .where('digest', 'in', digests)
    .execute();
  return new Map(
    rows.flatMap(({ digest, inventory_hash }) => (inventory_hash === null ? [] : [[digest, inventory_hash]])),
  );
}

async function projectInputs(
  deps: Pick<JudgingDeps, 'policies' | 'exceptions'>,
  entries: readonly { subject: Subject }[],
) {
  const inputs = new Map<string, Pick<Parameters<typeof judge>[0], 'policy' | 'policyVersion' | 'exceptions'>>();
  for (const projectId of new Set(entries.map(({ subject }) => subject.projectId))) {
    const { policy, version } = await deps.policies.effectivePolicy(projectId);
    inputs.set(projectId, { policy, policyVersion: version, exceptions: await deps.exceptions.granted(projectId) });
  }
  return inputs;
}
