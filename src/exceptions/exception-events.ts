import type { Row } from '../db/schema.ts';
import type { ExceptionData } from '../notify/event-data.ts';
import type { NewEvent } from '../notify/outbox.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { EVERY_PROJECT, toSubject } from './exception.ts';

/** Of several asked for together, in the message itself. */
const MOST_NAMED = 10;

/** What is told of a request, by name of its project; without one it is about all. */
function exceptionRequested(row: Row<'exceptions'>, project: string): NewEvent {
  return { type: 'EXCEPTION_REQUESTED', ...placeOf(row, project), data: dataOf(row, project), at: row.requested_at };
}

/** What is told, at once, of requests that were made together: the first few of them. */
export function exceptionsRequested(rows: readonly Row<'exceptions'>[], project: string): NewEvent[] {
  const [first] = rows;
  if (first === undefined || first.batch === null || rows.length === 1)
    return rows.map((row) => exceptionRequested(row, project));
  const requests = rows.slice(0, MOST_NAMED).map((row) => dataOf(row, project));
  const more = rows.length > requests.length ? { more: `${listOf(first, project)}?batch=${first.batch}` } : {};
  return [
    {
      type: 'EXCEPTION_REQUESTED',
      ...placeOf(first, project),
      subject: `exceptions/${first.batch}`,
      at: first.requested_at,
      data: { ...dataOf(first, project), batch: first.batch, total: rows.length, requests, ...more },
    },
  ];
}

/** What is told of a decision about it. */
function exceptionDecided(row: Row<'exceptions'>, project: string, at: number) {
  return {
    type: 'EXCEPTION_DECIDED' as const,
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

/** What is told, at once, of requests that were decided together, all alike: the first few of them. */
export function exceptionsDecided(rows: readonly Row<'exceptions'>[], project: string, at: number): NewEvent[] {
  const [first] = rows;
  if (first === undefined || rows.length === 1) return rows.map((row) => exceptionDecided(row, project, at));
  const exceptions = rows.slice(0, MOST_NAMED).map((row) => dataOf(row, project));
  const ofOneBatch = first.batch !== null && rows.every(({ batch }) => batch === first.batch);
  const among = ofOneBatch ? `batch=${first.batch}` : `state=${first.state}`;
  const more = rows.length > exceptions.length ? { more: `${listOf(first, project)}?${among}` } : {};
  const told = exceptionDecided(first, project, at);
  return [
    {
      ...told,
      subject: `exceptions/${ofOneBatch ? first.batch : first.id}`,
      data: { ...told.data, total: rows.length, exceptions, ...more },
    },
  ];
}

/** The call that lists those of a place. */
function listOf({ project_id }: Row<'exceptions'>, project: string): string {
  return `/api/v1${project_id === EVERY_PROJECT ? '' : `/projects/${encodeURIComponent(project)}`}/exceptions`;
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

function dataOf(row: Row<'exceptions'>, project: string): ExceptionData {
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
