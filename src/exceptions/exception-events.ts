import type { Row } from '../db/schema.ts';
import type { EventData } from '../notify/event-data.ts';
import type { NewEvent } from '../notify/outbox.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { EVERY_PROJECT, toSubject } from './exception.ts';

/** What is told of a request, by name of its project; without one it is about all. */
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

/** What is told when its end comes near, and when it has come. */
export function exceptionEnds(
  type: 'EXCEPTION_EXPIRING' | 'EXCEPTION_EXPIRED',
  row: Row<'exceptions'>,
  project: string,
  at: number,
): NewEvent {
  return { type, ...placeOf(row, project), data: dataOf(row, project), at };
}

function placeOf({ id, project_id }: Row<'exceptions'>, project: string) {
  return { subject: `exception/${id}`, ...(project_id === EVERY_PROJECT ? {} : { project }) };
}

function dataOf(row: Row<'exceptions'>, project: string): EventData['EXCEPTION_REQUESTED'] {
  const { packageType: _type, platform: _platform, versions, ...subject } = toSubject(row);
  return {
    id: row.id,
    project: row.project_id === EVERY_PROJECT ? '*' : project,
    ...subject,
    ...(versions === undefined ? {} : { version: versions }),
    reason: row.reason,
    ...(row.ticket === null ? {} : { ticket: row.ticket }),
    requestedBy: row.requested_by,
    until: toRfc3339(row.until),
  };
}
