import { nameOf, type Principal } from '../auth/principal.ts';
import type { Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { addEvents } from '../notify/outbox.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { checkReason } from './check-exception.ts';
import { ExceptionError } from './errors.ts';
import { type ExceptionRecord, type ExceptionState, toRecord, toSubject } from './exception.ts';
import { exceptionsDecided } from './exception-events.ts';
import { type Change, findRow, type Place, updateRow } from './exception-rows.ts';

export interface Step {
  readonly from: readonly ExceptionState[];
  readonly to: ExceptionState;
  readonly action: string;
  readonly reason: string;
}

/** What steps are taken in. */
export interface Deciding {
  readonly tx: Tx;
  /** The rows that were decided, as they are then. */
  readonly decided: Row<'exceptions'>[];
}

interface DecidingDeps {
  readonly clock: Clock;
  /** Puts a step into the ledger. */
  note(
    tx: Tx,
    by: Principal,
    place: Place,
    action: string,
    details: Readonly<Record<string, unknown>>,
  ): Promise<unknown>;
}

/** Steps from one state of an exception to another. */
export function createDeciding(deps: DecidingDeps) {
  /** Takes steps in a transaction, and tells what became of all that they decided. */
  async function telling<Value>(tx: Tx, place: Place, step: (deciding: Deciding) => Promise<Value>): Promise<Value> {
    const deciding: Deciding = { tx, decided: [] };
    const value = await step(deciding);
    await addEvents(tx, exceptionsDecided(deciding.decided, place.name, deps.clock.now()));
    return value;
  }

  async function decide(
    { tx, decided }: Deciding,
    by: Principal,
    place: Place,
    id: string,
    step: Step,
    change: (current: Row<'exceptions'>, now: number) => Promise<Change> = async () => ({}),
  ): Promise<ExceptionRecord> {
    const reason = checkReason(step.reason);
    const now = deps.clock.now();
    const current = await findRow(tx, place, id);
    if (!step.from.includes(current.state as ExceptionState))
      throw new ExceptionError('exception_state', `this exception is ${current.state}, not ${step.from.join(' or ')}`);
    const changed = await change(current, now);
    const set = {
      state: step.to,
      decided_by: nameOf(by),
      decided_at: now,
      decision_reason: reason,
      ...changed,
    };
    await updateRow(tx, current, step.from, set);
    const after = { ...current, ...set };
    decided.push(after);
    const { vulnerability, rule, ...narrowing } = toSubject(after);
    await deps.note(tx, by, place, step.action, {
      id,
      ...(vulnerability === undefined ? { rule } : { vulnerability }),
      before: current.state,
      after: step.to,
      reason,
      until: toRfc3339(after.until),
      ...(step.to === 'granted' ? narrowing : {}),
      ...(set.single_handed === 1 ? { singleHanded: true } : {}),
    });
    return toRecord(after, now);
  }

  return { telling, decide };
}
