import { projectOf } from '../model/project-name.ts';
import { type Severity, severityRank } from '../model/severity.ts';
import type { Reason, Verdict, VerdictKind } from '../model/verdict.ts';
import type { FindingData } from '../notify/event-data.ts';
import type { NewEvent } from '../notify/outbox.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { why } from '../policy/explain.ts';
import type { Cause } from './ports.ts';
import type { Subject } from './subjects.ts';

/** Reasons of a change that an event names. */
const MOST_NAMED = 5;

/** What a verdict has and the one before it had not, and the other way round. */
interface Differing {
  readonly added: readonly Reason[];
  readonly removed: readonly Reason[];
}

/** What is told of a verdict that took the place of another. Only what comes with a push is told by itself. */
export function verdictChanged(
  { repository, digest }: Pick<Subject, 'repository' | 'digest'>,
  previous: VerdictKind | undefined,
  verdict: Verdict,
  { change, cause }: { readonly change: Differing; readonly cause: Cause },
): NewEvent {
  const { kind, counts, judgedAt, changesAt, inputs } = verdict;
  const severity = worstOf([...change.added, ...change.removed]);
  return {
    type: 'VERDICT_CHANGED',
    subject: `${repository}@${digest}`,
    project: projectOf(repository),
    repository,
    severity,
    ...(cause === 'push' ? {} : { batch: batchOf(cause, repository, verdict) }),
    at: judgedAt,
    data: {
      cause,
      advisories: inputs.advisories,
      total: 1,
      blocked: Number(kind === 'block' && previous !== 'block'),
      released: Number(previous === 'block' && kind !== 'block'),
      changes: [
        {
          repository,
          digest,
          previous: previous ?? null,
          verdict: kind,
          sentence: why(verdict),
          severity,
          counts: { ...counts, bySeverity: { ...counts.bySeverity } },
          added: worstFirst(change.added).map(findingData),
          addedCount: change.added.length,
          removed: worstFirst(change.removed).map(findingData),
          removedCount: change.removed.length,
          ...(changesAt === undefined ? {} : { changesAt: toRfc3339(changesAt) }),
        },
      ],
    },
  };
}

/** What is told as one: all that an advisory database changed, or a change of one project's policy or exceptions. */
function batchOf(cause: Cause, repository: string, { inputs }: Verdict): string {
  switch (cause) {
    case 'advisories':
      return `advisories ${inputs.advisories}`;
    case 'policy':
    case 'exception':
      return `${cause} ${projectOf(repository)}`;
    default:
      return cause;
  }
}

function worstOf(reasons: readonly Reason[]): Severity {
  return reasons.reduce<Severity>(
    (worst, { severity }) => (severityRank(severity) > severityRank(worst) ? severity : worst),
    'none',
  );
}

function worstFirst(reasons: readonly Reason[]): readonly Reason[] {
  return reasons.toSorted((a, b) => severityRank(b.severity) - severityRank(a.severity)).slice(0, MOST_NAMED);
}

/** A reason as events name it. */
function findingData({ vulnerability, package: name, installed, fixed, severity, rule, kind }: Reason): FindingData {
  return {
    ...(vulnerability === undefined ? {} : { vulnerability }),
    ...(name === undefined ? {} : { package: name }),
    ...(installed === undefined ? {} : { installed }),
    ...(fixed === undefined ? {} : { fixed }),
    severity,
    rule,
    verdict: kind,
  };
}
