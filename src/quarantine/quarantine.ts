import type { Row } from '../db/schema.ts';
import { PRINTABLE, reasonProblem } from '../platform/reason.ts';
import { QuarantineError } from './errors.ts';

/** `release-asked` is in force like `active`: one person asked for the end of it, another has to confirm. */
export type QuarantineState = 'active' | 'release-asked' | 'released';

/** A digest or versions of a package that may run nowhere, and what became of that. */
export interface Quarantine {
  readonly id: string;
  readonly target: string;
  readonly digest?: string;
  readonly purl?: string;
  readonly versions?: string;
  readonly reason: string;
  readonly ticket: string;
  readonly state: QuarantineState;
  readonly addedBy: string;
  /** Epoch ms, like all moments. */
  readonly addedAt: number;
  readonly releaseAskedBy?: string;
  readonly releaseAskedAt?: number;
  readonly releaseReason?: string;
  readonly releasedBy?: string;
  readonly releasedAt?: number;
  /** Why the second person agreed. */
  readonly releaseConfirmed?: string;
}

const LONGEST_REASON = 2000;
const LONGEST_TICKET = 200;

/** Throws `QuarantineError('quarantine_invalid')` for a reason that says nothing, too much, or more than one line. */
export function checkReason(reason: string): void {
  const problem = reasonProblem(reason, LONGEST_REASON);
  if (problem !== undefined) throw new QuarantineError('quarantine_invalid', problem);
}

/** Throws `QuarantineError('quarantine_invalid')`. */
export function checkTicket(ticket: string): void {
  if (ticket.trim() === '' || ticket.length > LONGEST_TICKET || !PRINTABLE.test(ticket))
    throw new QuarantineError(
      'quarantine_invalid',
      `name the ticket where it is followed up, like INC-42: one line of at most ${LONGEST_TICKET} characters`,
    );
}

export function toQuarantine(row: Row<'quarantines'>): Quarantine {
  const optional = {
    digest: row.digest,
    purl: row.purl,
    versions: row.versions,
    releaseAskedBy: row.release_asked_by,
    releaseAskedAt: row.release_asked_at,
    releaseReason: row.release_reason,
    releasedBy: row.released_by,
    releasedAt: row.released_at,
    releaseConfirmed: row.release_confirmed,
  };
  const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null));
  return {
    id: row.id,
    target: row.target,
    reason: row.reason,
    ticket: row.ticket,
    state: row.state as QuarantineState,
    addedBy: row.added_by,
    addedAt: row.added_at,
    ...(known as { readonly [Name in keyof typeof optional]?: NonNullable<(typeof optional)[Name]> }),
  };
}
