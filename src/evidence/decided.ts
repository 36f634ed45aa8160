import type { Db } from '../db/database.ts';
import { EVERY_PROJECT, type ExceptionRecord, toRecord } from '../exceptions/exception.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { describeMeasured } from '../trust/measured.ts';
import type { TrustedSource } from '../trust/trusted-source.ts';
import type { LedgerSlice } from './ledger-slice.ts';
import type { Line } from './lines.ts';
import type { Period } from './period.ts';

/** Exceptions that were asked for, decided or in force at any time of the period, oldest request first. */
export async function readExceptions(
  db: Db,
  { from, to }: Period,
  now: number,
  projectName: (id: string) => string,
  { decisions }: Pick<LedgerSlice, 'decisions'>,
): Promise<Line<'exceptions'>[]> {
  const rows = await db
    .selectFrom('exceptions')
    .selectAll()
    .where((where) =>
      where.or([
        where.and([where('requested_at', '>=', from), where('requested_at', '<', to)]),
        where.and([where('decided_at', '>=', from), where('decided_at', '<', to)]),
        // Granted before the period ended, and neither over nor revoked when it began.
        where.and([
          where('valid_from', '<', to),
          where('until', '>', from),
          where.or([where('state', '=', 'granted'), where('decided_at', '>=', from)]),
        ]),
      ]),
    )
    .orderBy('requested_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => {
    const record = toRecord(row, now);
    return {
      ...exceptionLine(record),
      project: row.project_id === EVERY_PROJECT ? 'all projects' : projectName(row.project_id),
      decisions: [...(decisions.get(row.id) ?? [])],
    };
  });
}

function exceptionLine(record: ExceptionRecord): Omit<Line<'exceptions'>, 'project' | 'decisions'> {
  const {
    projectId: _project,
    expired,
    requestedAt,
    decidedAt,
    validFrom,
    lifeFrom,
    requesters,
    until,
    ...rest
  } = record;
  return {
    ...rest,
    inForce: record.state === 'granted' && !expired,
    requestedAt: toRfc3339(requestedAt),
    requesters: [...requesters],
    ...(lifeFrom === undefined ? {} : { lifeFrom: toRfc3339(lifeFrom) }),
    ...(decidedAt === undefined ? {} : { decidedAt: toRfc3339(decidedAt) }),
    ...(validFrom === undefined ? {} : { validFrom: toRfc3339(validFrom) }),
    until: toRfc3339(until),
  };
}

/** A trusted source with its risk analysis and every decision on it. */
export function trustedSourceLine(
  source: TrustedSource,
  { decisions }: Pick<LedgerSlice, 'decisions'>,
): Line<'trustedSources'> {
  const { proposedAt, decidedAt, reviewDue, retiredAt, problems, measured, ...rest } = source;
  return {
    ...rest,
    proposedAt: toRfc3339(proposedAt),
    ...(decidedAt === undefined ? {} : { decidedAt: toRfc3339(decidedAt) }),
    reviewDue: toRfc3339(reviewDue),
    ...(retiredAt === undefined ? {} : { retiredAt: toRfc3339(retiredAt) }),
    ...(measured === undefined ? {} : { measured: describeMeasured(measured) }),
    problems: problems.map(({ message }) => message),
    decisions: [...(decisions.get(source.id) ?? [])],
  };
}

/** Every policy document that was made in the period, oldest first. */
export async function readPolicyVersions(
  db: Db,
  { from, to }: Period,
  ownerOf: (projectId: string) => string,
): Promise<Line<'policyVersions'>[]> {
  const rows = await db
    .selectFrom('policies')
    .selectAll()
    .where('created_at', '>=', from)
    .where('created_at', '<', to)
    .orderBy('version')
    .execute();
  return rows.map(({ project_id, version, author, reason, created_at, document }) => {
    const policy = JSON.parse(document) as Record<string, unknown> | null;
    return {
      owner: ownerOf(project_id),
      version,
      author,
      reason,
      createdAt: toRfc3339(created_at),
      ...(policy === null ? {} : { policy }),
    };
  });
}
