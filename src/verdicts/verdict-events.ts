import { projectOf } from '../model/project-name.ts';
import type { Reason, Verdict, VerdictKind } from '../model/verdict.ts';
import type { NewEvent } from '../notify/outbox.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { why } from '../policy/explain.ts';
import { findingsData, worstOf } from './finding-data.ts';
import type { Cause } from './ports.ts';
import type { Subject } from './subjects.ts';

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
          added: findingsData(change.added),
          addedCount: change.added.length,
          removed: findingsData(change.removed),
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
