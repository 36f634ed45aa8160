import type { Row } from '../db/schema.ts';
import type { EventData } from '../notify/event-data.ts';
import type { NewEvent } from '../notify/outbox.ts';
import { toRfc3339 } from '../platform/clock.ts';

/** What is told of a request, by name of its project. */
export function exceptionRequested(row: Row<'exceptions'>, project: string): NewEvent {
  return { type: 'EXCEPTION_REQUESTED', ...placeOf(row, project), data: dataOf(row, project), at: row.requested_at };
}

/** What is told of a decision about it. */
export function exceptionDecided(row: Row<'exceptions'>, project: string, at: number): NewEvent {
  return {
    type: 'EXCEPTION_DECIDED',
    ...placeOf(row, project),
    at,
    data: {
      ...dataOf(row, project),
      decision: row.state as 'granted' | 'denied' | 'revoked',
      decidedBy: row.decided_by ?? '',
      decisionReason: row.decision_reason ?? '',
      singleHanded: row.single_handed === 1,
    },
  };
}

function placeOf({ id }: Row<'exceptions'>, project: string) {
  return { subject: `exception/${id}`, project };
}

function dataOf(row: Row<'exceptions'>, project: string): EventData['EXCEPTION_REQUESTED'] {
  return {
    id: row.id,
    project,
    vulnerability: row.vulnerability,
    ...(row.package === null ? {} : { package: row.package }),
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.repository_glob === null ? {} : { repository: row.repository_glob }),
    ...(row.digest === null ? {} : { digest: row.digest }),
    reason: row.reason,
    ...(row.ticket === null ? {} : { ticket: row.ticket }),
    requestedBy: row.requested_by,
    until: toRfc3339(row.until),
  };
}
