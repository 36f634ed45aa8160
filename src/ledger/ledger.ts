import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import type { NewRow, Row } from '../db/schema.ts';
import { statement } from '../db/statement.ts';
import type { Clock } from '../platform/clock.ts';
import { CodedError } from '../platform/errors.ts';
import { type Actor, GENESIS, hashEntry, type LedgerEntry } from './chain.ts';

class LedgerError extends CodedError<'entry_invalid'> {}

/** What is written down; time, number and hashes are added. Details must be plain JSON and hold no secrets. */
export interface LedgerNote {
  readonly actor: Actor;
  readonly action: string;
  readonly target: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Name of the project it concerns, where `target` is not `project/<name>` itself. */
  readonly project?: string;
}

export interface LedgerQuery {
  /** Epoch ms, inclusive. */
  readonly from?: number;
  /** Epoch ms, exclusive. */
  readonly to?: number;
  readonly target?: string;
  readonly actor?: string;
  /** `project.create`, or all of a noun: `project`. */
  readonly action?: string;
  readonly project?: string;
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
  /**
   * The same for changes that come often: durable with the transaction, one insert, nobody waits. The line gets its number and
   * hash from whoever next appends, reads, or calls `chainPending`.
   */
  appendLater(tx: Tx, note: LedgerNote): Promise<void>;
  /** Numbers and chains what `appendLater` left; gives how many lines. To be called every now and then. */
  chainPending(): Promise<number>;
  /** Makes other writers wait until this transaction ends: for numbers that must be given out one after the other. */
  serialise(tx: Tx): Promise<void>;
  /** Adds a line for something that is no change of ours in the database. */
  record(note: LedgerNote): Promise<void>;
  /** Lines, oldest first. Where nothing narrows them but time they follow each other without gaps. */
  list(query: LedgerQuery): Promise<LedgerEntry[]>;
  /** Number and hash of the newest line; undefined while there is none. */
  head(): Promise<Pick<LedgerEntry, 'seq' | 'hash'> | undefined>;
}

/** Row of `settings` that writers lock and that says where the chain ends. */
const HEAD = 'ledger.head';
const LARGEST_DETAILS = 65_536;
const LONGEST_TEXT = 1024;
/** Lines chained in one go: far below the engines' limits of bound values. */
const BATCH = 200;

interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly at: number;
}
const EMPTY: Head = { seq: 0, hash: GENESIS, at: 0 };

/** A line as it is known before it has its place in the chain. */
type Draft = Omit<Row<'ledger_pending'>, 'id'>;

/** Opens the ledger over the database. */
export function createLedger({ db, clock }: { readonly db: Db; readonly clock: Clock }): Ledger {
  async function append(tx: Tx, note: LedgerNote): Promise<LedgerEntry> {
    const draft = draftOf(note, clock.now());
    const head = await lockHead(tx);
    // What happened before comes before.
    const entries = await addLines(tx, head, [...(await takePending(tx)), draft]);
    return entries.at(-1) as LedgerEntry;
  }

  /** Chains one batch; gives how many lines it had. */
  function chainBatch(): Promise<number> {
    return db.transaction().execute(async (tx) => {
      const head = await lockHead(tx);
      const pending = await takePending(tx);
      await addLines(tx, head, pending);
      return pending.length;
    });
  }

  async function chainPending(): Promise<number> {
    let count = 0;
    for (;;) {
      const waiting = await db.selectFrom('ledger_pending').select('id').limit(1).executeTakeFirst();
      if (!waiting) return count;
      count += await chainBatch();
    }
  }

  const chained = readLedger(db);
  return {
    append,
    chainPending,
    async appendLater(tx, note) {
      await insertPending(tx, draftOf(note, clock.now()));
    },
    async serialise(tx) {
      await lockHead(tx);
    },
    async record(note) {
      await db.transaction().execute((tx) => append(tx, note));
    },
    async list(query) {
      await chainPending();
      return chained.list(query);
    },
    async head() {
      await chainPending();
      return chained.head();
    },
  };
}

const insertPending = statement((db, draft: NewRow<'ledger_pending'>) =>
  db.insertInto('ledger_pending').values({
    at: draft.at,
    actor: draft.actor,
    action: draft.action,
    target: draft.target,
    details: draft.details,
    project: draft.project,
  }),
);

/** Reads what has its place in the chain already, also where nothing may be written: in a backup. */
export function readLedger(db: Db): Pick<Ledger, 'list' | 'head'> {
  return {
    async list({ from, to, target, actor, action, project, after, limit }) {
      let query = db.selectFrom('ledger').selectAll().orderBy('seq').limit(limit);
      if (from !== undefined) query = query.where('at', '>=', from);
      if (to !== undefined) query = query.where('at', '<', to);
      if (target !== undefined) query = query.where('target', '=', target);
      if (actor !== undefined) query = query.where('actor', '=', actor);
      if (project !== undefined) query = query.where('project', '=', project);
      if (action !== undefined)
        query = action.includes('.')
          ? query.where('action', '=', action)
          : query.where(sql<string>`substr(action, 1, ${action.length + 1})`, '=', `${action}.`);
      if (after !== undefined) query = query.where('seq', '>', after);
      return (await query.execute()).map(toEntry);
    },
    async head() {
      const row = await db.selectFrom('settings').select('value').where('key', '=', HEAD).executeTakeFirst();
      if (!row) return undefined;
      const { seq, hash } = JSON.parse(row.value) as Head;
      return { seq, hash };
    },
  };
}

function draftOf({ actor, action, target, project, ...note }: LedgerNote, at: number): Draft {
  const [name, behind] = typeof actor === 'string' ? [actor, {}] : [actor.name, { person: actor.person }];
  const details = JSON.stringify({ ...note.details, ...behind });
  if (details.length > LARGEST_DETAILS)
    throw new LedgerError('entry_invalid', `details of "${action}" are larger than ${LARGEST_DETAILS} characters`);
  const concerned = project ?? (target.startsWith('project/') ? target.slice('project/'.length) : undefined);
  return {
    at,
    actor: storable(name),
    action: storable(action),
    target: storable(target),
    details,
    project: concerned === undefined ? null : storable(concerned),
  };
}

/** Only while the head is locked: nobody else takes any then. */
async function takePending(tx: Tx): Promise<Draft[]> {
  const oldest = tx.selectFrom('ledger_pending').select('id').orderBy('id').limit(BATCH);
  const rows = await tx.deleteFrom('ledger_pending').where('id', 'in', oldest).returningAll().execute();
  return rows.sort((a, b) => a.id - b.id);
}

/** Puts lines at the end of the chain. */
async function addLines(tx: Tx, head: Head, drafts: readonly Draft[]): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  const rows: Row<'ledger'>[] = [];
  let last = head;
  for (const { at, actor, action, target, details, project } of drafts) {
    const line = {
      seq: last.seq + 1,
      at: Math.max(at, last.at),
      actor,
      action,
      target,
      details: JSON.parse(details) as Record<string, unknown>,
      previousHash: last.hash,
    };
    const entry: LedgerEntry = { ...line, hash: hashEntry(line) };
    const { previousHash, ...columns } = entry;
    rows.push({ ...columns, details, project, previous_hash: previousHash });
    entries.push(entry);
    last = entry;
  }
  if (rows.length === 0) return entries;
  await tx.insertInto('ledger').values(rows).execute();
  const next: Head = { seq: last.seq, hash: last.hash, at: last.at };
  await tx
    .updateTable('settings')
    .set({ value: JSON.stringify(next) })
    .where('key', '=', HEAD)
    .execute();
  return entries;
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

function toEntry(row: Row<'ledger'>): LedgerEntry {
  const { seq, at, actor, action, target, hash } = row;
  const details = JSON.parse(row.details) as Record<string, unknown>;
  return { seq, at, actor, action, target, details, previousHash: row.previous_hash, hash };
}
