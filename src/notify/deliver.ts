import { type SqlBool, sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Capabilities } from '../db/capabilities.ts';
import type { Row } from '../db/schema.ts';
import { messageOf } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Logger } from '../platform/logger.ts';
import { deliveryDelay } from './backoff.ts';
import type { Outcome } from './outcome.ts';
import { type ReceiverKind, toReceiver } from './receiver.ts';
import { type Addressed, opened, type SendDeps, send } from './send.ts';
import { storedMessage } from './stored-message.ts';

export interface DeliverDeps extends SendDeps {
  readonly capabilities: Pick<Capabilities, 'skipLocked'>;
  readonly logger: Logger;
  readonly random?: () => number;
  /** Told of every try. */
  readonly onOutcome?: (kind: ReceiverKind, outcome: Outcome) => void;
}

/** Longer than any page takes. What a replica that died has taken waits so long. */
const LEASE_MS = 45_000;
/** No message of a page is begun after that; one takes ten seconds at most. */
const PAGE_MS = 15_000;
const PAGE = 64;
const AT_ONCE = 8;
/** A receiver that failed so often in a row is left alone for a while. */
const FAILURES_UNTIL_REST = 3;
const LONGEST_ERROR = 500;
/** Nothing about the same subject waits before the message `m`. */
const FIRST_OF_SUBJECT = sql<SqlBool>`not exists (select 1 from notify_messages e where e.receiver_id = m.receiver_id
  and e.subject = m.subject and e.state = 'waiting' and e.id < m.id)`;

/** Takes a receiver that has something due and that no replica works on. */
export async function takeReceiver({
  db,
  clock,
  capabilities,
}: Pick<DeliverDeps, 'db' | 'clock' | 'capabilities'>): Promise<(Addressed & { readonly lease: string }) | undefined> {
  const now = clock.now();
  let due = db
    .selectFrom('notify_receivers as r')
    .select('r.id')
    .where('r.paused', '=', 0)
    .where('r.retry_at', '<=', now)
    .where((where) => where.or([where('r.leased_until', 'is', null), where('r.leased_until', '<=', now)]))
    .where((where) =>
      where.exists(
        where
          .selectFrom('notify_messages as m')
          .select('m.id')
          .whereRef('m.receiver_id', '=', 'r.id')
          .where('m.state', '=', 'waiting')
          .where('m.next_at', '<=', now)
          .where(FIRST_OF_SUBJECT),
      ),
    )
    .limit(1);
  // Without a writer's lock when there is nothing to do, which is nearly always.
  if (!(await due.executeTakeFirst())) return undefined;
  if (capabilities.skipLocked) due = due.forUpdate().skipLocked();
  const lease = newId();
  const row = await db
    .updateTable('notify_receivers')
    .set({ lease, leased_until: now + LEASE_MS })
    .where('id', '=', due)
    .returning(['id', 'name', 'kind', 'settings', 'target'])
    .executeTakeFirst();
  return row && { ...toReceiver(row, null), sealed: row.target, lease };
}

/** Sends what is due to a receiver that was taken, then lets it go. Messages about one subject go one after the other. */
export async function work(
  deps: DeliverDeps,
  receiver: Addressed & { readonly lease: string },
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted && (await renewed(deps, receiver))) {
      const messages = await dueMessages(deps, receiver.id);
      if (messages.length === 0) return;
      if (!(await page(deps, receiver, messages))) return;
    }
  } finally {
    await deps.db
      .updateTable('notify_receivers')
      .set({ lease: null, leased_until: null })
      .where('id', '=', receiver.id)
      .where('lease', '=', receiver.lease)
      .execute();
  }
}

/** False when another replica has taken it meanwhile. */
async function renewed(
  { db, clock }: DeliverDeps,
  { id, lease }: Addressed & { readonly lease: string },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('notify_receivers')
    .set({ leased_until: clock.now() + LEASE_MS })
    .where('id', '=', id)
    .where('lease', '=', lease)
    .where('paused', '=', 0)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

type Due = Row<'notify_messages'>;

/** The first that waits of every subject, where it is due. */
async function dueMessages({ db, clock }: DeliverDeps, receiverId: string): Promise<readonly Due[]> {
  return db
    .selectFrom('notify_messages as m')
    .selectAll()
    .where('m.receiver_id', '=', receiverId)
    .where('m.state', '=', 'waiting')
    .where('m.next_at', '<=', clock.now())
    .where(FIRST_OF_SUBJECT)
    .orderBy('m.id')
    .limit(PAGE)
    .execute();
}

/** Gives whether it makes sense to go on. */
async function page(deps: DeliverDeps, receiver: Addressed, messages: readonly Due[]): Promise<boolean> {
  const outcomes: { readonly message: Due; readonly outcome: Outcome }[] = [];
  const until = deps.clock.now() + PAGE_MS;
  let failedInARow = 0;
  const waiting = [...messages];
  let broken: Outcome = { kind: 'failed', error: '' };
  const ready = await opened(deps, receiver).catch((error: unknown): undefined => {
    broken = { kind: 'failed', error: messageOf(error) };
  });
  // A receiver that does not answer is found out by a few, not by all that waits.
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (;;) {
        if (failedInARow >= FAILURES_UNTIL_REST || deps.clock.now() > until) return;
        const message = waiting.shift();
        if (!message) return;
        const outcome = ready === undefined ? broken : await send(deps, ready, storedMessage(message));
        failedInARow = outcome.kind === 'failed' ? failedInARow + 1 : 0;
        deps.onOutcome?.(receiver.kind, outcome);
        outcomes.push({ message, outcome });
      }
    }),
  );
  return settle(deps, receiver, outcomes);
}

async function settle(
  { db, clock, logger, random = Math.random }: DeliverDeps,
  receiver: Addressed,
  outcomes: readonly { readonly message: Due; readonly outcome: Outcome }[],
): Promise<boolean> {
  const now = clock.now();
  const arrived = outcomes.filter(({ outcome }) => outcome.kind === 'delivered');
  const progressed = outcomes.some(({ outcome }) => outcome.kind === 'progress');
  const failed = outcomes.flatMap(({ message, outcome }) => (outcome.kind === 'failed' ? [{ message, outcome }] : []));
  return db.transaction().execute(async (tx) => {
    for (const part of batches(arrived))
      await tx
        .updateTable('notify_messages')
        .set({ state: 'delivered', settled_at: now, last_error: null, attempts: sql<number>`attempts + 1` })
        .where(
          'id',
          'in',
          part.map(({ message }) => message.id),
        )
        .where('state', '=', 'waiting')
        .execute();
    for (const { message, outcome } of failed) {
      const attempts = message.attempts + 1;
      const wait = Math.max(deliveryDelay(attempts, random), outcome.retryAfterMs ?? 0);
      const dead = outcome.final === true || now >= message.gives_up_at;
      await tx
        .updateTable('notify_messages')
        .set({
          attempts,
          next_at: now + wait,
          last_error: outcome.error.slice(0, LONGEST_ERROR),
          ...(dead ? { state: 'dead', settled_at: now } : {}),
        })
        .where('id', '=', message.id)
        .where('state', '=', 'waiting')
        .execute();
      if (dead)
        logger.warn(
          { receiver: receiver.name, message: message.uid },
          'a message was given up; see: breakwater notify messages --state dead',
        );
    }
    if (arrived.length > 0 || progressed) {
      const before = await tx
        .selectFrom('notify_receivers')
        .select('failures')
        .where('id', '=', receiver.id)
        .executeTakeFirst();
      await tx
        .updateTable('notify_receivers')
        .set({ failures: 0, retry_at: 0, last_delivered_at: now, last_error: null })
        .where('id', '=', receiver.id)
        .execute();
      // It is back: what waits for a later moment because of its absence goes now.
      if ((before?.failures ?? 0) >= FAILURES_UNTIL_REST)
        await tx
          .updateTable('notify_messages')
          .set({ next_at: now })
          .where('receiver_id', '=', receiver.id)
          .where('state', '=', 'waiting')
          .where('id', 'not in', [0, ...failed.map(({ message }) => message.id)])
          .execute();
      return true;
    }
    const [last] = failed.slice(-1);
    if (!last) return false;
    const { failures } = await tx
      .updateTable('notify_receivers')
      .set({
        failures: sql<number>`failures + ${failed.length}`,
        last_error: last.outcome.error.slice(0, LONGEST_ERROR),
      })
      .where('id', '=', receiver.id)
      .returning('failures')
      .executeTakeFirst()
      .then((row) => row ?? { failures: 0 });
    if (failures < FAILURES_UNTIL_REST) return true;
    await tx
      .updateTable('notify_receivers')
      .set({ retry_at: now + deliveryDelay(failures - FAILURES_UNTIL_REST + 1, random) })
      .where('id', '=', receiver.id)
      .execute();
    return false;
  });
}

/** Sends a message that is nowhere kept, now, whatever else waits. */
export async function sendTest(deps: SendDeps, receiver: Addressed, by: string): Promise<Outcome> {
  const { name } = receiver;
  const text = `${by} tries whether "${name}" is told`;
  const head = { uid: `tst_${newId()}`, sequence: 0, subject: `receiver/${name}`, at: deps.clock.now() };
  return send(deps, await opened(deps, receiver), { ...head, type: 'TEST', data: { text } });
}
