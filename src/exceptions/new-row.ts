import { nameOf, type Principal, personOf } from '../auth/principal.ts';
import type { Row } from '../db/schema.ts';
import { newId } from '../platform/ids.ts';
import type { CheckedException } from './check-exception.ts';
import { fromSubject } from './exception.ts';

/** What somebody asks for, as a row says it. */
export function fromAsked(asked: CheckedException) {
  return {
    kind: asked.kind,
    ...fromSubject(asked),
    justification: asked.justification ?? null,
    fix_days: asked.fixDays ?? null,
    owner: asked.owner ?? null,
    reason: asked.reason,
    ticket: asked.ticket ?? null,
    until: asked.until,
  };
}

/** A request as it is kept first. */
export function newRow(
  asked: CheckedException,
  of: {
    readonly projectId: string;
    readonly by: Principal;
    /** Accounts of whoever asks. */
    readonly accounts: readonly string[];
    readonly now: number;
    readonly lifeFrom: number | undefined;
    readonly batch: string | null;
    readonly renews: string | null;
  },
): Row<'exceptions'> {
  const { by, batch, renews } = of;
  return {
    id: newId(),
    project_id: of.projectId,
    ...fromAsked(asked),
    state: 'requested',
    requested_by: nameOf(by),
    requested_person: by.kind === 'robot' ? personOf(by) : null,
    requested_at: of.now,
    requester_accounts: JSON.stringify(of.accounts),
    batch,
    renews,
    revision: 1,
    life_from: of.lifeFrom ?? null,
    decided_by: null,
    decided_at: null,
    decision_reason: null,
    single_handed: 0,
    valid_from: null,
    expiring_told_at: null,
    expired_told_at: null,
  };
}
