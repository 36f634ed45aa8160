import type { Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { isNarrower } from '../policy/is-narrower.ts';
import type { CheckedException } from './check-exception.ts';
import type { Readable } from './check-stored.ts';
import { completeRequest } from './complete-request.ts';
import { ExceptionError } from './errors.ts';
import { type ExceptionSubject, scopeOf, toRecord, toSubject } from './exception.ts';
import type { Place } from './exception-rows.ts';

/** A decision about a request; what is narrower than what was asked for is given, and counts instead. */
export interface Grant {
  readonly reason: string;
  /** The revision that was read; may be left out for a request that was never changed. */
  readonly revision?: number;
  readonly until?: number;
  readonly fixDays?: number;
  readonly narrower?: Partial<
    Pick<ExceptionSubject, 'package' | 'packageType' | 'versions' | 'repository' | 'digest' | 'platform'>
  >;
}

/** What is granted of a request. Throws `ExceptionError('exception_invalid')` for anything that is not within what was asked for. */
export async function narrowRequest(
  tx: Tx,
  place: Place & { readonly readable: Readable },
  current: Row<'exceptions'>,
  grant: Grant,
): Promise<CheckedException> {
  const asked = askedIn(current);
  const { until = asked.until, fixDays = asked.fixDays, narrower = {} } = grant;
  const wanted = { ...asked, ...narrower, until, ...(fixDays === undefined ? {} : { fixDays }) };
  const granted = await completeRequest(tx, place, wanted);
  if (isNarrower(datedScope(granted, place), datedScope(asked, place))) return granted;
  throw new ExceptionError(
    'exception_invalid',
    granted.until > asked.until
      ? `it was asked for until ${toRfc3339(asked.until)}; a grant may end it earlier, never later`
      : 'a grant may be narrower than what was asked for, never about anything else; have the request changed, or ask anew',
  );
}

/** A row as it was asked for. */
export function askedIn(row: Row<'exceptions'>): CheckedException {
  const { kind, justification, fixDays, owner, reason, ticket, until } = toRecord(row, 0);
  return {
    kind,
    ...toSubject(row),
    ...(justification === undefined ? {} : { justification }),
    ...(fixDays === undefined ? {} : { fixDays }),
    ...(owner === undefined ? {} : { owner }),
    reason,
    ...(ticket === undefined ? {} : { ticket }),
    until,
  };
}

function datedScope(wanted: CheckedException, place: Place) {
  const { kind: _kind, owner: _owner, reason: _reason, ticket: _ticket, justification: _why, ...rest } = wanted;
  const { until, fixDays, ...subject } = rest;
  return { ...scopeOf(subject, place.id), until, ...(fixDays === undefined ? {} : { fixDays }) };
}
