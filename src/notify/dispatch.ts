import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db, Tx } from '../db/database.ts';
import type { NewRow, Row } from '../db/schema.ts';
import type { Clock } from '../platform/clock.ts';
import { newId } from '../platform/ids.ts';
import { freshMessage } from './fresh-message.ts';
import { isFor, type Receiver, toReceiver } from './receiver.ts';
import { type ToldEvent, toldEvent } from './told-event.ts';

export interface DispatchDeps {
  readonly db: Db;
  readonly clock: Clock;
  /** A batch is told once nothing was added to it for so long; 30 s unless told. */
  readonly quietMs?: number;
}

/** Events in one transaction: others write meanwhile only on PostgreSQL. */
const PAGE = 200;
const QUIET_MS = 30_000;
/** A batch that never becomes quiet is told all the same. */
const LONGEST_OPEN_MS = 1_800_000;
/** Of a batch, in the message itself. */
const MOST_NAMED = 50;
/** Row of `settings` that is locked while messages are made: their numbers are the order of events. */
const LOCK = 'notify.dispatch';

/**
 * Makes messages of the events in the outbox, one for each receiver that wants to know, and of batches that are complete. Gives how many
 * events it took; 0 when there is nothing more to do. Called on several replicas at once, one works and the others wait.
 */
export async function dispatch(deps: DispatchDeps): Promise<number> {
  const { db, clock, quietMs = QUIET_MS } = deps;
  const now = clock.now();
  const waiting = await db
    .selectFrom('outbox')
    .select('id')
    .where('dispatched_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  const complete = await completeBatches(db, now, quietMs).limit(1).executeTakeFirst();
  if (!waiting && !complete) return 0;
  return db.transaction().execute(async (tx) => {
    await lock(tx);
    const receivers = await allReceivers(tx);
    const events = await tx
      .selectFrom('outbox')
      .selectAll()
      .where('dispatched_at', 'is', null)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    await makeMessages(tx, events.map(toldEvent), receivers, now);
    // While events wait they may belong to an open batch.
    const due = events.length < PAGE ? await completeBatches(tx, now, quietMs).execute() : [];
    for (const batch of due) await closeBatch(tx, batch, receivers, now);
    return events.length + due.length;
  });
}

async function lock(tx: Tx): Promise<void> {
  await tx
    .insertInto('settings')
    .values({ key: LOCK, value: '' })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: sql`settings.value` }))
    .execute();
}

/** Those of projects that are gone are told nothing. */
async function allReceivers(tx: Tx): Promise<Receiver[]> {
  const rows = await tx
    .selectFrom('notify_receivers as r')
    .leftJoin('projects as p', 'p.id', 'r.project_id')
    .select(['r.id', 'r.name', 'r.kind', 'r.settings', 'r.project_id', 'p.name as project'])
    .orderBy('r.id')
    .execute();
  return rows.filter((row) => row.project_id === '' || row.project !== null).map((row) => toReceiver(row, row.project));
}

async function makeMessages(
  tx: Tx,
  events: readonly ToldEvent[],
  receivers: readonly Receiver[],
  now: number,
): Promise<void> {
  if (events.length === 0) return;
  const ids = await batchIds(tx, events, now);
  const messages: NewRow<'notify_messages'>[] = [];
  const repositories = new Map<string, Set<string>>();
  for (const event of events)
    for (const receiver of receivers) {
      if (event.batch !== null && !receiver.settings.each) continue;
      if (!isFor(receiver, event)) continue;
      if (receiver.kind === 'ticket') noteRepository(repositories, receiver, event.repository);
      else messages.push(messageFor(receiver, event, now));
    }
  await insertMessages(tx, messages);
  await askForTickets(tx, repositories, now);
  for (const [batchId, own] of Map.groupBy(events, ({ batch }) => (batch === null ? null : (ids.get(batch) ?? null))))
    for (const part of batches(own))
      await tx
        .updateTable('outbox')
        .set({ dispatched_at: now, batch_id: batchId })
        .where(
          'id',
          'in',
          part.map(({ id }) => id),
        )
        .execute();
}

/** The open batch of every key, made where there is none. */
async function batchIds(tx: Tx, events: readonly ToldEvent[], now: number): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const { batch: key, type } of events) {
    if (key === null || ids.has(key)) continue;
    const { id } = await tx
      .insertInto('notify_batches')
      .values({ id: newId(), key, type, opened_at: now, last_at: now, closed_at: null })
      .onConflict((conflict) => conflict.column('key').where('closed_at', 'is', null).doUpdateSet({ last_at: now }))
      .returning('id')
      .executeTakeFirstOrThrow();
    ids.set(key, id);
  }
  return ids;
}

function completeBatches(db: Db, now: number, quietMs: number) {
  return db
    .selectFrom('notify_batches')
    .selectAll()
    .where('closed_at', 'is', null)
    .where((where) =>
      where.or([where('last_at', '<=', now - quietMs), where('opened_at', '<=', now - LONGEST_OPEN_MS)]),
    )
    .orderBy('opened_at');
}

interface Sum {
  total: number;
  blocked: number;
  released: number;
  readonly items: unknown[];
  first?: ToldEvent;
  readonly repositories: Set<string>;
}

/** One message for each receiver that wants to know of any of it. */
async function closeBatch(
  tx: Tx,
  batch: Row<'notify_batches'>,
  receivers: readonly Receiver[],
  now: number,
): Promise<void> {
  const sums = new Map<Receiver, Sum>(
    receivers
      .filter(({ settings }) => !settings.each)
      .map((receiver) => [receiver, { total: 0, blocked: 0, released: 0, items: [], repositories: new Set() }]),
  );
  for await (const event of eventsOf(tx, batch.id))
    for (const [receiver, sum] of sums) if (isFor(receiver, event)) add(sum, event);
  const messages: NewRow<'notify_messages'>[] = [];
  const tickets = new Map<string, Set<string>>();
  for (const [receiver, sum] of sums) {
    if (!sum.first) continue;
    if (receiver.kind === 'ticket') tickets.set(receiver.id, sum.repositories);
    else messages.push(summedUp(receiver, batch, sum, now));
  }
  await insertMessages(tx, messages);
  await askForTickets(tx, tickets, now);
  await tx.updateTable('notify_batches').set({ closed_at: now }).where('id', '=', batch.id).execute();
}

async function* eventsOf(tx: Tx, batchId: string): AsyncGenerator<ToldEvent> {
  let after = 0;
  for (;;) {
    const rows = await tx
      .selectFrom('outbox')
      .selectAll()
      .where('batch_id', '=', batchId)
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    yield* rows.map(toldEvent);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last.id;
  }
}

function add(sum: Sum, event: ToldEvent): void {
  sum.first ??= event;
  sum.total += event.total;
  sum.blocked += event.blocked;
  sum.released += event.released;
  if (sum.items.length < MOST_NAMED) sum.items.push(...event.items);
  if (event.repository !== null) sum.repositories.add(event.repository);
}

function summedUp(receiver: Receiver, batch: Row<'notify_batches'>, sum: Sum, now: number): NewRow<'notify_messages'> {
  const uid = `bat_${batch.id}`;
  const first = sum.first as ToldEvent;
  const { changes: _changes, images: _images, ...data } = JSON.parse(first.data) as Record<string, unknown>;
  const query = receiver.project === undefined ? '' : `?project=${encodeURIComponent(receiver.project)}`;
  const more =
    sum.total > sum.items.length ? { more: `/api/v1/receivers/${receiver.name}/messages/${uid}/changes${query}` } : {};
  const counts = batch.type === 'VERDICT_CHANGED' ? { blocked: sum.blocked, released: sum.released } : {};
  const items = batch.type === 'VERDICT_CHANGED' ? { changes: sum.items } : { images: sum.items };
  return {
    ...waiting(receiver, now),
    uid,
    type: batch.type,
    subject: sum.total === 1 ? first.subject : batch.key.replaceAll(' ', '/'),
    project: receiver.project ?? null,
    data: JSON.stringify({ ...data, total: sum.total, ...counts, ...items, ...more }),
    at: batch.opened_at,
    batch_id: batch.id,
  };
}

function messageFor(receiver: Receiver, event: ToldEvent, now: number): NewRow<'notify_messages'> {
  const { uid, type, subject, project, data, at } = event;
  return { ...waiting(receiver, now), uid, type, subject, project, data, at, batch_id: null };
}

function waiting(receiver: Receiver, now: number) {
  return freshMessage(receiver.id, now, receiver.settings.digest === undefined ? 'waiting' : 'held');
}

async function insertMessages(tx: Tx, rows: readonly NewRow<'notify_messages'>[]): Promise<void> {
  for (const part of batches(rows)) await tx.insertInto('notify_messages').values(part).execute();
}

function noteRepository(repositories: Map<string, Set<string>>, { id }: Receiver, repository: string | null): void {
  if (repository === null) return;
  const known = repositories.get(id) ?? new Set();
  repositories.set(id, known.add(repository));
}

/** Has tickets brought up to date, repository by repository. What waits already, and is not being worked on, is enough. */
async function askForTickets(tx: Tx, wanted: ReadonlyMap<string, ReadonlySet<string>>, now: number): Promise<void> {
  for (const [receiverId, repositories] of wanted)
    for (const part of batches([...repositories])) {
      // One may be under way with what was before; the one behind it reads what is now.
      const enough = await tx
        .selectFrom('notify_messages')
        .select('subject')
        .where('receiver_id', '=', receiverId)
        .where('subject', 'in', part)
        .where('state', '=', 'waiting')
        .groupBy('subject')
        .having(({ fn }) => fn.countAll(), '>', 1)
        .execute();
      const asked = new Set(enough.map(({ subject }) => subject));
      const rows = part
        .filter((repository) => !asked.has(repository))
        .map((repository) => ({
          ...freshMessage(receiverId, now),
          uid: `tkt_${newId()}`,
          type: 'TICKETS',
          subject: repository,
          project: null,
          data: JSON.stringify({ repository }),
          at: now,
          batch_id: null,
        }));
      await insertMessages(tx, rows);
    }
}
