import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Tx } from '../db/database.ts';
import type { NewRow } from '../db/schema.ts';
import { statementOfRows } from '../db/statement.ts';
import type { Severity } from '../model/severity.ts';
import { newId } from '../platform/ids.ts';
import type { EventData, EventType } from './event-data.ts';

interface EventOf<Type extends EventType> {
  readonly type: Type;
  readonly data: EventData[Type];
  /** What it is about: events of one subject are told in their order. */
  readonly subject: string;
  /** Name of the project it belongs to; absent: it concerns the installation alone. */
  readonly project?: string;
  readonly repository?: string;
  readonly severity?: Severity;
  /** Only for VERDICT_CHANGED and GRACE_ENDING: events of one key that come close together are told in one message. */
  readonly batch?: string;
  /** Epoch ms. */
  readonly at: number;
}

/** Something that happened and that receivers may want to know. */
export type NewEvent = { [Type in EventType]: EventOf<Type> }[EventType];

/** An event as it is written; it may be made long before. */
export type EventRow = NewRow<'outbox'>;

/**
 * Writes events into the outbox, in the transaction of what they tell: both happen, or neither does. One insert, and nobody waits; the
 * deliverer takes it from there. For the order of one subject it comes after the statement that locks the subject's row.
 */
export function addEvents(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  return addEventRows(tx, events.map(eventRow));
}

/** The same of events that were made into rows before. */
export async function addEventRows(tx: Tx, rows: readonly EventRow[]): Promise<void> {
  for (const batch of batches(rows)) await insertEvents(tx, batch);
}

const insertEvents = statementOfRows((db, rows: readonly EventRow[]) =>
  db.insertInto('outbox').values(
    rows.map(({ uid, type, subject, project, repository, severity, batch, data, at }) => ({
      uid,
      type,
      subject,
      project,
      repository,
      severity,
      batch,
      data,
      at,
    })),
  ),
);

/**
 * True once per key until `until` (epoch ms), whoever of several replicas asks, and again afterwards. In the transaction of what is
 * done because of it.
 */
export async function onlyOnce(tx: Tx, key: string, { now, until }: { now: number; until: number }): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('notify_once')
    .values({ key, until })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({ until }).where(sql.ref('notify_once.until'), '<=', now),
    )
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

const LONGEST_SUBJECT = 512;

/** Says an event as the outbox keeps it. */
export function eventRow(event: NewEvent): EventRow {
  const { type, subject, project, repository, severity, batch, at } = event;
  return {
    uid: `evt_${newId()}`,
    type,
    subject: storable(subject).slice(0, LONGEST_SUBJECT).toWellFormed(),
    project: project ?? null,
    repository: repository ?? null,
    severity: severity ?? null,
    batch: batch ?? null,
    data: JSON.stringify(event.data).replaceAll('\\u0000', '\\ufffd'),
    at,
  };
}

/** Text that every engine gives back as it was written. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
