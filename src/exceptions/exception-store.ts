import { actorOf, nameOf, type Principal, personOf } from '../auth/principal.ts';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { addEvents } from '../notify/outbox.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import type { GrantedException } from '../policy/exceptions.ts';
import { ExceptionError } from './errors.ts';
import {
  checkException,
  type ExceptionRecord,
  type ExceptionState,
  type NewException,
  toGranted,
  toRecord,
} from './exception.ts';
import { exceptionDecided, exceptionRequested } from './exception-events.ts';

export interface ExceptionStoreDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Nobody grants what they asked for themselves. Without it such grants are marked single-handed. */
  readonly fourEyes: boolean;
  /** How many days ahead an end date may lie; 365 unless told. */
  readonly mostDays?: number;
}

export type ProjectKey = { readonly id: string; readonly name: string };

interface Step {
  readonly from: readonly ExceptionState[];
  readonly to: ExceptionState;
  readonly action: string;
  readonly reason: string;
}

const MOST_DAYS = 365;
const LONGEST_REASON = 4000;

/** Keeps requests for exceptions and what became of them. Every step is in the ledger under `by`. */
export type ExceptionStore = ReturnType<typeof createExceptionStore>;

export function createExceptionStore(deps: ExceptionStoreDeps) {
  const { db, clock, ledger, mostDays = MOST_DAYS } = deps;

  async function decide(
    by: Principal,
    project: ProjectKey,
    id: string,
    step: Step,
    change: (current: Row<'exceptions'>, now: number) => Partial<Row<'exceptions'>>,
  ): Promise<ExceptionRecord> {
    if (step.reason.trim() === '' || step.reason.length > LONGEST_REASON)
      throw new ExceptionError(
        'exception_invalid',
        `a decision needs a reason of at most ${LONGEST_REASON} characters`,
      );
    return db.transaction().execute(async (tx) => {
      const now = clock.now();
      const current = await tx
        .selectFrom('exceptions')
        .selectAll()
        .where('id', '=', id)
        .where('project_id', '=', project.id)
        .executeTakeFirst();
      if (!current)
        throw new ExceptionError(
          'exception_unknown',
          `project "${project.name}" has no exception ${JSON.stringify(id.slice(0, 60))}`,
        );
      const set = {
        state: step.to,
        decided_by: nameOf(by),
        decided_at: now,
        decision_reason: step.reason,
        ...change(current, now),
      };
      // The state is part of the condition: of two decisions at once the second finds nothing to decide.
      const { numUpdatedRows } = await tx
        .updateTable('exceptions')
        .set(set)
        .where('id', '=', id)
        .where('state', 'in', step.from)
        .executeTakeFirst();
      if (numUpdatedRows === 0n)
        throw new ExceptionError(
          'exception_state',
          `this exception is ${current.state}, not ${step.from.join(' or ')}`,
        );
      await addEvents(tx, [exceptionDecided({ ...current, ...set }, project.name, now)]);
      await ledger.append(tx, {
        actor: actorOf(by),
        action: step.action,
        target: `project/${project.name}`,
        details: {
          id,
          vulnerability: current.vulnerability,
          before: current.state,
          after: step.to,
          reason: step.reason,
          until: toRfc3339(set.until ?? current.until),
          ...(set.single_handed === 1 ? { singleHanded: true } : {}),
        },
      });
      return toRecord({ ...current, ...set }, now);
    });
  }

  return {
    /** Asks for an exception. Throws `ExceptionError('exception_invalid')` that names every wrong field. */
    async request(by: Principal, project: ProjectKey, input: NewException): Promise<ExceptionRecord> {
      const now = clock.now();
      const wanted = checkException(input, now, mostDays);
      const row: Row<'exceptions'> = {
        id: newId(),
        project_id: project.id,
        vulnerability: wanted.vulnerability,
        package: wanted.package ?? null,
        package_type: wanted.packageType ?? null,
        version: wanted.version ?? null,
        repository_glob: wanted.repository ?? null,
        digest: wanted.digest ?? null,
        reason: wanted.reason,
        ticket: wanted.ticket ?? null,
        state: 'requested',
        requested_by: nameOf(by),
        requested_person: by.kind === 'robot' ? personOf(by) : null,
        requested_at: now,
        decided_by: null,
        decided_at: null,
        decision_reason: null,
        single_handed: 0,
        valid_from: null,
        until: wanted.until,
      };
      await db.transaction().execute(async (tx) => {
        await tx.insertInto('exceptions').values(row).execute();
        await addEvents(tx, [exceptionRequested(row, project.name)]);
        await ledger.append(tx, {
          actor: actorOf(by),
          action: 'exception.request',
          target: `project/${project.name}`,
          details: { id: row.id, ...wanted, until: toRfc3339(wanted.until) },
        });
      });
      return toRecord(row, now);
    },

    /**
     * Grants it from now on; it may end earlier than was asked for, never later. Throws `ExceptionError` `four_eyes`,
     * `exception_state`, `exception_unknown`, `exception_invalid`.
     */
    async grant(
      by: Principal,
      project: ProjectKey,
      id: string,
      decision: { readonly reason: string; readonly until?: number },
    ): Promise<ExceptionRecord> {
      const step: Step = { from: ['requested'], to: 'granted', action: 'exception.grant', reason: decision.reason };
      return decide(by, project, id, step, (current, now) => {
        const own = (current.requested_person ?? current.requested_by) === personOf(by);
        if (own && deps.fourEyes)
          throw new ExceptionError(
            'four_eyes',
            `${personOf(by)} asked for this exception${current.requested_person === null ? '' : ` through ${current.requested_by}`}; another person has to grant it`,
          );
        const until = decision.until ?? current.until;
        if (!(until <= current.until))
          throw new ExceptionError(
            'exception_invalid',
            `it was asked for until ${toRfc3339(current.until)}; a grant may end it earlier, never later`,
          );
        if (until <= now)
          throw new ExceptionError('exception_invalid', `it would end at ${toRfc3339(until)}, which is over`);
        return { valid_from: now, until, single_handed: own ? 1 : 0 };
      });
    },

    /** Turns a request down. */
    async deny(by: Principal, project: ProjectKey, id: string, reason: string): Promise<ExceptionRecord> {
      return decide(
        by,
        project,
        id,
        { from: ['requested'], to: 'denied', action: 'exception.deny', reason },
        () => ({}),
      );
    },

    /** Ends a granted exception now, or takes a request back. */
    async revoke(by: Principal, project: ProjectKey, id: string, reason: string): Promise<ExceptionRecord> {
      const step: Step = { from: ['requested', 'granted'], to: 'revoked', action: 'exception.revoke', reason };
      return decide(by, project, id, step, () => ({}));
    },

    /** Throws `ExceptionError('exception_unknown')`. */
    async get(project: ProjectKey, id: string): Promise<ExceptionRecord> {
      const row = await db
        .selectFrom('exceptions')
        .selectAll()
        .where('id', '=', id)
        .where('project_id', '=', project.id)
        .executeTakeFirst();
      if (!row) throw new ExceptionError('exception_unknown', `project "${project.name}" has no such exception`);
      return toRecord(row, clock.now());
    },

    /** Of one project, or of all; newest first. */
    async list(
      query: { readonly projectId?: string; readonly state?: ExceptionState } = {},
    ): Promise<ExceptionRecord[]> {
      let select = db.selectFrom('exceptions').selectAll().orderBy('requested_at', 'desc').orderBy('id');
      if (query.projectId !== undefined) select = select.where('project_id', '=', query.projectId);
      if (query.state !== undefined) select = select.where('state', '=', query.state);
      const now = clock.now();
      return (await select.execute()).map((row) => toRecord(row, now));
    },

    /** What `judge` may apply to a project: granted, not revoked, not over. Valid in [from, until). */
    async granted(projectId: string): Promise<GrantedException[]> {
      const rows = await db
        .selectFrom('exceptions')
        .selectAll()
        .where('project_id', '=', projectId)
        .where('state', '=', 'granted')
        .where('until', '>', clock.now())
        .orderBy('id')
        .execute();
      return rows.map(toGranted);
    },
  };
}
