import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Clock } from '../platform/clock.ts';
import { GENESIS, hashOf, type LedgerEntry } from './chain.ts';

/** What is to be written down. */
export interface LedgerRecord {
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Locks the chain: whoever holds this row writes the next line. */
const HEAD_KEY = 'ledger.head';

/**
 * Appends a line in the caller's transaction, so that a change and its record stand or fall together. Lines are written
 * one after another on both engines: the head row is locked by the update that precedes the read.
 */
export async function appendToLedger(tx: Db, clock: Clock, record: LedgerRecord): Promise<void> {
  const head = await lockHead(tx);
  const entry: Omit<LedgerEntry, 'hash'> = {
    seq: head.seq + 1,
    at: clock.now(),
    actor: record.actor,
    action: record.action,
    target: record.target,
    details: JSON.stringify(record.details ?? {}),
    previousHash: head.hash,
  };
  const hash = hashOf(entry);
  const { previousHash, ...columns } = entry;
  await tx
    .insertInto('ledger')
    .values({ ...columns, previous_hash: previousHash, hash })
    .execute();
  await tx
    .updateTable('settings')
    .set({ value: JSON.stringify({ seq: entry.seq, hash }) })
    .where('key', '=', HEAD_KEY)
    .execute();
}

async function lockHead(tx: Db): Promise<{ seq: number; hash: string }> {
  const initial = JSON.stringify({ seq: 0, hash: GENESIS });
  // An update that changes nothing takes the row lock on PostgreSQL and the write lock on SQLite.
  const row = await tx
    .insertInto('settings')
    .values({ key: HEAD_KEY, value: initial })
    .onConflict((conflict) => conflict.column('key').doUpdateSet((eb) => ({ value: eb.ref('settings.value') })))
    .returning('value')
    .executeTakeFirstOrThrow();
  return JSON.parse(row.value) as { seq: number; hash: string };
}

export interface LedgerQuery {
  /** Epoch ms, inclusive. */
  readonly from?: number;
  /** Epoch ms, exclusive. */
  readonly to?: number;
  readonly target?: string;
  /** Lines after this number. */
  readonly after?: number;
  readonly limit: number;
}

/** Lines in the order they were written. */
export async function listLedger(db: Db, query: LedgerQuery): Promise<LedgerEntry[]> {
  let select = db.selectFrom('ledger').selectAll().orderBy('seq').limit(query.limit);
  if (query.from !== undefined) select = select.where('at', '>=', query.from);
  if (query.to !== undefined) select = select.where('at', '<', query.to);
  if (query.target !== undefined) select = select.where('target', '=', query.target);
  if (query.after !== undefined) select = select.where('seq', '>', query.after);
  return (await select.execute()).map(asEntry);
}

/** Number and hash of the newest line; number 0 when there is none. */
export async function ledgerHead(db: Db): Promise<{ readonly seq: number; readonly hash: string }> {
  const row = await db.selectFrom('ledger').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row ?? { seq: 0, hash: GENESIS };
}

function asEntry(row: Row<'ledger'>): LedgerEntry {
  const { previous_hash, ...rest } = row;
  return { ...rest, previousHash: previous_hash };
}
