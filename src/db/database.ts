import { type Dialect, Kysely, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import { messageOf } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Engine } from './engine.ts';
import { DatabaseError } from './errors.ts';
import type { Failures } from './failures.ts';
import { migrations } from './migrations/index.ts';
import { openPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';
import { openSqlite } from './sqlite.ts';
import type { DatabaseState } from './unchanged.ts';

/** A connection or a transaction: stores take this, so that several of them can share one transaction. */
export type Db = Kysely<Schema>;
export type Tx = Transaction<Schema>;

export interface DatabaseHandle {
  readonly engine: Engine;
  readonly db: Db;
  readonly state: DatabaseState;
  /** Of some tables alone, where that can be told apart: on PostgreSQL those of decisions can, for others it is the state of all. */
  readonly stateOf: (...tables: readonly (keyof Schema)[]) => DatabaseState;
  /** Undefined when it can be read and, as far as is known, written; else why not, in one sentence. */
  readonly problem: () => Promise<string | undefined>;
  close(): Promise<void>;
}

const withoutWaiting = new WeakMap<Db, Db>();

/**
 * The same database for what is made again when it is lost, like the evidence of a layer: on SQLite nobody waits until it is on the
 * disk, where it comes with the next thing somebody waits for. A killed process loses nothing, a power cut the last moments.
 */
export function unsynced(db: Db): Db {
  return withoutWaiting.get(db) ?? db;
}

/** Where the database is: a SQLite file (or `:memory:`), or a PostgreSQL URL. */
export type DatabaseLocation =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly url: string };

interface OpenedEngine {
  readonly dialect: Dialect;
  readonly unsynced?: Dialect;
  readonly state: DatabaseState;
  readonly stateOf: (tables: readonly string[]) => DatabaseState;
  readonly failures: Failures;
}

/** Opens the database and brings its schema up to date. Throws `DatabaseError`; the URL's password is never in it. */
export async function openDatabase(location: DatabaseLocation): Promise<DatabaseHandle> {
  const { engine } = location;
  const opened: OpenedEngine = location.engine === 'sqlite' ? openSqlite(location.path) : openPostgres(location.url);
  const db = new Kysely<Schema>({ dialect: opened.dialect });
  if (opened.unsynced) withoutWaiting.set(db, new Kysely<Schema>({ dialect: opened.unsynced }));
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations(engine)) },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error) {
    await db.destroy();
    const failed = results?.find((result) => result.status === 'Error');
    if (!failed)
      throw new DatabaseError('database_unavailable', `cannot open the ${engine} database: ${messageOf(error)}`, {
        cause: error,
      });
    throw new DatabaseError(
      'migration_failed',
      `database migration ${failed.migrationName} failed: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return {
    engine,
    db,
    state: opened.state,
    stateOf: (...tables) => opened.stateOf(tables),
    problem: () => problemOf(db, opened.failures),
    close: () => db.destroy(),
  };
}

const PROBE = 'db.probe';

/** Whoever fails to write is believed; after that only a write shows that the trouble is over. */
async function problemOf(db: Db, failures: Failures): Promise<string | undefined> {
  try {
    await db.selectFrom('settings').select('key').limit(1).execute();
    if (!failures.seen()) return undefined;
    const value = newId();
    await db
      .insertInto('settings')
      .values({ key: PROBE, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
    failures.forget();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
