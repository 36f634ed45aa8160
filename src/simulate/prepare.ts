import type { Verdict } from '../model/verdict.ts';
import { type Decision, decide } from '../policy/judge.ts';
import { judgeArtifact } from '../policy/judge-artifact.ts';
import { type IndexChild, judgeIndex } from '../policy/judge-index.ts';
import { underQuarantine } from '../policy/quarantine.ts';
import { createManyMemory, type ManyMemory, prepareMany } from '../verdicts/compute-many.ts';
import { artifactInput, type IndexEntry, indexEntries, indexInput } from '../verdicts/compute-others.ts';
import type { Sources } from '../verdicts/sources.ts';
import { type Subject, subjectKey } from '../verdicts/subjects.ts';

/** Indexes within indexes: as deep as they are judged when they are stored. */
const DEEPEST = 4;

/**
 * What is decided about a stored manifest at any moment (epoch ms), with the inputs of now. It may not tell since when something is known,
 * where nothing depends on that.
 */
export type DecisionAt = (moment: number) => Decision;

/** Reads what verdicts on stored manifests depend on. Those without an inventory are left out. */
export type Preparer = (subjects: readonly Subject[]) => Promise<ReadonlyMap<string, DecisionAt>>;

/**
 * Prepares stored manifests for judging as their verdicts are made, from these sources. `areJudged` gives the keys of those
 * that have a verdict: an index counts its other children as not judged yet.
 */
export function createPreparer(
  sources: Sources,
  areJudged: (subjects: readonly Subject[]) => Promise<ReadonlySet<string>>,
): Preparer {
  const memory: ManyMemory = createManyMemory();

  async function prepare(subjects: readonly Subject[], depth: number): Promise<Map<string, DecisionAt>> {
    const prepared = new Map<string, DecisionAt>();
    const images = subjects.filter(({ kind }) => kind === 'image');
    if (images.length > 0)
      for (const { subject, input } of await prepareMany(sources, images, memory, { decisionsOnly: true }))
        prepared.set(subjectKey(subject), (now) => decide({ ...input, now }, memory.assessments));
    for (const subject of subjects)
      if (subject.kind === 'index') prepared.set(subjectKey(subject), await prepareIndex(subject, depth));
      else if (subject.kind === 'artifact') {
        const input = await artifactInput(sources, subject);
        prepared.set(
          subjectKey(subject),
          whole((now) => judgeArtifact({ ...input, now })),
        );
      }
    const quarantined = await sources.quarantines.hitsOf(subjects);
    for (const subject of subjects) {
      const hits = quarantined.get(subject.digest) ?? [];
      const decision = prepared.get(subjectKey(subject));
      if (decision && hits.length > 0)
        prepared.set(
          subjectKey(subject),
          whole((now) => underQuarantine(decision(now).verdict(), hits)),
        );
    }
    return prepared;
  }

  async function prepareIndex(subject: Subject, depth: number): Promise<DecisionAt> {
    const entries = await indexEntries(sources.db, subject);
    const stored = depth < DEEPEST ? entries.flatMap((entry) => entry.stored ?? []) : [];
    const judged = await areJudged(stored);
    const children = await prepare(
      [...new Map(stored.map((child) => [subjectKey(child), child])).values()].filter((child) =>
        judged.has(subjectKey(child)),
      ),
      depth + 1,
    );
    const input = await indexInput(sources, subject);
    return whole((now) =>
      judgeIndex({ ...input, children: entries.map((entry) => childAt(entry, children, now)), now }),
    );
  }

  return (subjects) => prepare(subjects, 0);
}

function whole(verdictAt: (moment: number) => Verdict): DecisionAt {
  return function at(moment) {
    const verdict = verdictAt(moment);
    const { kind, changesAt } = verdict;
    return {
      kind,
      ...(changesAt === undefined ? {} : { changesAt }),
      told: () => verdict,
      verdict: () => verdict,
      later: at,
    };
  };
}

function childAt({ stored, ...entry }: IndexEntry, children: ReadonlyMap<string, DecisionAt>, now: number): IndexChild {
  const verdict = stored && children.get(subjectKey(stored))?.(now).verdict();
  return { ...entry, ...(verdict ? { verdict } : {}) };
}
