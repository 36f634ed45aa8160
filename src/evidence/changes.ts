import type { Db } from '../db/database.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { type VerdictChange, verdictHistory } from '../verdicts/history.ts';
import type { Budget } from './budget.ts';
import type { Line } from './lines.ts';
import type { Period } from './period.ts';
import { countsLine, reasonsLine } from './reasons.ts';

const PAGE = 500;

/** How verdicts changed in the period, oldest first. */
export async function readVerdictChanges(db: Db, period: Period, budget: Budget): Promise<Line<'verdictChanges'>[]> {
  const lines: Line<'verdictChanges'>[] = [];
  for (let page = await verdictHistory(db, { ...period, limit: PAGE }); page.length > 0; ) {
    for (const change of page) lines.push(budget.take(toLine(change)));
    const oldest = page.at(-1);
    if (!oldest) break;
    page = await verdictHistory(db, { ...period, before: oldest.id, limit: PAGE });
  }
  return lines.reverse();
}

function toLine({ at, repository, digest, previous, kind, cause, ...change }: VerdictChange): Line<'verdictChanges'> {
  return {
    at: toRfc3339(at),
    repository,
    digest,
    ...(previous === undefined ? {} : { previous }),
    kind,
    cause,
    counts: countsLine(change.counts),
    added: reasonsLine(change.added),
    removed: reasonsLine(change.removed),
    inputs: { ...change.inputs },
  };
}
