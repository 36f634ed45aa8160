import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';
import { type Change, changeOf, createChanges } from './changes.ts';
import { createFailures, type Failures } from './failures.ts';
import { createGroupSync } from './group-sync.ts';
import { createMutex } from './mutex.ts';
import { sqliteFailure } from './sqlite-trouble.ts';
import type { DatabaseState } from './unchanged.ts';

const STATEMENTS_KEPT = 500;
const IN_MEMORY = ':memory:';

/**
 * SQLite through Node's own driver; `path` is a file or `:memory:`. WAL, foreign keys on. What was written is durable when the promise of the
 * query or transaction resolves: the write-ahead log is synced then, outside the thread that serves requests, once for all who wait. There is
 * one connection, and the data folder is locked, so whatever changes the database goes through it: `state` counts that.
 */
export function openSqlite(path: string): {
  readonly dialect: Dialect;
  /** The same connection, for what may be written without waiting for the disk. To be used after the other was opened. */
  readonly unsynced: Dialect;
  readonly state: DatabaseState;
  readonly stateOf: (tables: readonly string[]) => DatabaseState;
  readonly failures: Failures;
} {
  const changes = createChanges();
  const failures = createFailures(sqliteFailure);
  let connection: DatabaseSync | undefined;
  const driver = new SyncingDriver({
    // Synced below; `normal` still syncs before anything is moved from the log into the database.
    database: () => {
      const database = new DatabaseSync(path);
      connection = database;
      database.exec(`pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on;
        pragma busy_timeout = 10000; pragma cache_size = -8192; pragma temp_store = memory;
        pragma wal_autocheckpoint = 8192`);
      return Promise.resolve(asKyselyDatabase(database, changes.note));
    },
    state: changes.total,
    inTransaction: () => connection?.isTransaction === true,
    log: path === IN_MEMORY ? undefined : `${path}-wal`,
    failures,
  });
  return {
    dialect: new SingleConnectionDialect(driver),
    unsynced: new SingleConnectionDialect(new UnsyncedDriver(driver)),
    state: changes.total,
    stateOf: (tables) => () => changes.of(tables),
    failures,
  };
}

interface Options {
  readonly database: () => Promise<SqliteDatabase>;
  readonly state: () => number;
  readonly inTransaction: () => boolean;
  /** Path of the write-ahead log. */
  readonly log: string | undefined;
  readonly failures: Failures;
}

class SingleConnectionDialect extends SqliteDialect {
  readonly #driver: Driver;

  constructor(driver: Driver) {
    super({ database: () => Promise.reject(new Error('the driver opens the database')) });
    this.#driver = driver;
  }

  override createDriver(): Driver {
    return this.#driver;
  }

  /** The driver takes turns itself: Kysely would keep the connection until the log is synced. */
  override createAdapter(): SqliteAdapter {
    return new SeveralConnections();
  }
}

class SeveralConnections extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class SyncingDriver extends SqliteDriver {
  readonly #options: Options;
  readonly #turns = createMutex();
  #log: FileHandle | undefined;
  /** State of the database when the last turn ended. */
  #seen = 0;
  /** A sync of the log failed: what it should have made durable may be lost, and a later sync would not tell. */
  #logInDoubt = false;
  readonly #synced = createGroupSync(() => this.#options.failures.during(() => this.#sync()));

  constructor(options: Options) {
    super(options);
    this.#options = options;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.obtain();
    return this.#options.failures.watch(await super.acquireConnection());
  }

  /** SQLite has rolled back by itself when its disk is full or fails. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#options.inTransaction()) await super.rollbackTransaction(connection);
  }

  override async releaseConnection(): Promise<void> {
    if (this.releaseUnsynced() && this.#options.log !== undefined) await this.#synced();
  }

  /** Ends the turn; true when something was written in it. */
  releaseUnsynced(): boolean {
    const state = this.#options.state();
    const written = state !== this.#seen;
    this.#seen = state;
    this.#turns.release();
    return written;
  }

  override async destroy(): Promise<void> {
    await this.#turns.obtain();
    await super.destroy();
    await this.#log?.close();
  }

  async #sync(): Promise<void> {
    if (this.#logInDoubt) await this.#moveLogIntoDatabase();
    try {
      this.#log ??= await this.#openLog();
      await this.#log?.datasync();
    } catch (error) {
      this.#logInDoubt = true;
      throw error;
    }
  }

  /** Makes everything committed durable without trusting the log: written into the database itself, and that synced. */
  async #moveLogIntoDatabase(): Promise<void> {
    await this.#turns.obtain();
    try {
      const connection = this.#options.failures.watch(await super.acquireConnection());
      const { rows } = await connection.executeQuery<{ busy: number }>(
        CompiledQuery.raw('pragma wal_checkpoint(truncate)'),
      );
      this.#logInDoubt = rows[0]?.busy !== 0;
    } finally {
      this.#turns.release();
    }
  }

  /** The log stays the same file for as long as the database is open; that it exists must be durable too. */
  async #openLog(): Promise<FileHandle | undefined> {
    const { log } = this.#options;
    if (log === undefined) return undefined;
    const folder = await open(dirname(log), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return open(log, 'r');
  }
}

/** The connection of a `SyncingDriver`. What is written becomes durable with whatever is synced next. */
class UnsyncedDriver implements Driver {
  readonly #driver: SyncingDriver;

  constructor(driver: SyncingDriver) {
    this.#driver = driver;
  }

  async init(): Promise<void> {
    // The other has opened the database.
  }

  acquireConnection(): Promise<DatabaseConnection> {
    return this.#driver.acquireConnection();
  }

  beginTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.beginTransaction(connection);
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.commitTransaction(connection);
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.rollbackTransaction(connection);
  }

  async releaseConnection(): Promise<void> {
    this.#driver.releaseUnsynced();
  }

  async destroy(): Promise<void> {
    // The other closes the database.
  }
}

/** Kysely expects better-sqlite3's shape; Node's driver differs in how it takes parameters and names readers. */
export function asKyselyDatabase(database: DatabaseSync, onChange: (change: Change) => void): SqliteDatabase {
  const statements = new Map<string, Prepared>();
  function prepared(sql: string): Prepared {
    let statement = statements.get(sql);
    if (statement) statements.delete(sql);
    else statement = asKyselyStatement(database.prepare(sql), changeOf(sql));
    statements.set(sql, statement);
    if (statements.size > STATEMENTS_KEPT) {
      const [oldest] = statements.keys();
      if (oldest !== undefined) statements.delete(oldest);
    }
    return statement;
  }
  return {
    close: () => database.close(),
    prepare(sql: string) {
      const statement = prepared(sql);
      onChange(statement.change);
      return statement;
    },
  };
}

type Prepared = ReturnType<SqliteDatabase['prepare']> & { readonly change: Change };

function asKyselyStatement(statement: StatementSync, change: Change): Prepared {
  return {
    change,
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>,
  };
}
