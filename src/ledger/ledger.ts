import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Clock } from '../platform/clock.ts';
import { CodedError } from '../platform/errors.ts';
import { GENESIS, hashEntry, type LedgerEntry } from './chain.ts';

class LedgerError extends CodedError<'entry_invalid'> {}

/** What is written down; time, number and hashes are added. Details must be plain JSON and hold no secrets. */
export interface LedgerNote {
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface LedgerQuery {
  /** Epoch ms, inclusive. */
  readonly from?: number;
  /** Epoch ms, exclusive. */
  readonly to?: number;
  readonly target?: string;
  /** Number of the last line already seen. */
  readonly after?: number;
  readonly limit: number;
}

/** The append-only, hash-chained log of every decision and change. */
export interface Ledger {
  /**
   * Adds a line in the transaction of the change it records. Writers wait for each other from here to their commit, so it
   * is the last statement of a transaction. Throws `LedgerError` for details that are too large.
   */
  append(tx: Tx, note: LedgerNote): Promise<LedgerEntry>;
  /** Makes other writers wait until this transaction ends: for numbers that must be given out one after the other. */
  serialise(tx: Tx): Promise<void>;
  /** Adds a line for something that is no change of ours in the database. */
  record(note: LedgerNote): Promise<void>;
  /** Lines, oldest first. Without `target` they follow each other without gaps. */
  list(query: LedgerQuery): Promise<LedgerEntry[]>;
  /** Number and hash of the newest line; undefined while there is none. */
  head(): Promise<Pick<LedgerEntry, 'seq' | 'hash'> | undefined>;
}

/** Row of `settings` that writers lock and that says where the chain ends. */
const HEAD = 'ledger.head';
const LARGEST_DETAILS = 65_536;
const LONGEST_TEXT = 1024;

interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly at: number;
}
const EMPTY: Head = { seq: 0, hash: GENESIS, at: 0 };

/** Opens the ledger over the database. */
export function createLedger(deps: { readonly db: Db; readonly clock: Clock }): Ledger {
  async function append(tx: Tx, note: LedgerNote): Promise<LedgerEntry> {
    const details = JSON.stringify(note.details ?? {});
    if (details.length > LARGEST_DETAILS)
      throw new LedgerError(
        'entry_invalid',
        `details of "${note.action}" are larger than ${LARGEST_DETAILS} characters`,
      );
    const head = await lockHead(tx);
    const line = {
      seq: head.seq + 1,
      at: Math.max(deps.clock.now(), head.at),
      actor: storable(note.actor),
      action: storable(note.action),
      target: storable(note.target),
      details: JSON.parse(details) as Record<string, unknown>,
      previousHash: head.hash,
    };
    const entry: LedgerEntry = { ...line, hash: hashEntry(line) };
    const { previousHash, ...columns } = entry;
    await tx
      .insertInto('ledger')
      .values({ ...columns, details, previous_hash: previousHash })
      .execute();
    const next: Head = { seq: entry.seq, hash: entry.hash, at: entry.at };
    await tx
      .updateTable('settings')
      .set({ value: JSON.stringify(next) })
      .where('key', '=', HEAD)
      .execute();
    return entry;
  }

  return {
    append,
    async serialise(tx) {
      await lockHead(tx);
    },
    async record(note) {
      await deps.db.transaction().execute((tx) => append(tx, note));
    },
    async list({ from, to, target, after, limit }) {
      let query = deps.db.selectFrom('ledger').selectAll().orderBy('seq').limit(limit);
      if (from !== undefined) query = query.where('at', '>=', from);
      if (to !== undefined) query = query.where('at', '<', to);
      if (target !== undefined) query = query.where('target', '=', target);
      if (after !== undefined) query = query.where('seq', '>', after);
      return (await query.execute()).map(toEntry);
    },
    async head() {
      const row = await deps.db.selectFrom('settings').select('value').where('key', '=', HEAD).executeTakeFirst();
      if (!row) return undefined;
      const { seq, hash } = JSON.parse(row.value) as Head;
      return { seq, hash };
    },
  };
}

/** Writing the row back unchanged locks it until the transaction ends, on every engine, and gives its newest value. */
async function lockHead(tx: Tx): Promise<Head> {
  const { value } = await tx
    .insertInto('settings')
    .values({ key: HEAD, value: JSON.stringify(EMPTY) })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: sql`settings.value` }))
    .returning('value')
    .executeTakeFirstOrThrow();
  return JSON.parse(value) as Head;
}

/** Text that every engine gives back as it was written. */
function storable(text: string): string {
  return text.slice(0, LONGEST_TEXT).toWellFormed().replaceAll('\0', '\uFFFD');
}

function toEntry({ previous_hash, details, ...row }: Row<'ledger'>): LedgerEntry {
  return { ...row, details: JSON.parse(details) as Record<string, unknown>, previousHash: previous_hash };
}
