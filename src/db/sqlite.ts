import { close, fdatasync, open as openCallback } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';
import { syncPath } from '../platform/sync-path.ts';
import { type Change, changeOf, createChanges } from './changes.ts';
import { createFailures, type Failures } from './failures.ts';
import { createGroupSync } from './group-sync.ts';
import { createLogMover, type LogMover } from './log-mover.ts';
import { createMutex } from './mutex.ts';
import { sqliteFailure } from './sqlite-trouble.ts';
import type { DatabaseState } from './unchanged.ts';

// Plain descriptors cost less than file handles.
const openFile = promisify(openCallback);
const syncData = promisify(fdatasync);
const closeFile = promisify(close);

const STATEMENTS_KEPT = 500;
const IN_MEMORY = ':memory:';
/** Pages of the log that are not in the database: from the first number on they are moved there by another thread, from the second here. */
const MOVED_BESIDE = 4096;
const MOVED_HERE = 32_768;
/** What a long log keeps of the disk. */
const LOG_KEPT = 32 * 1024 * 1024;

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
  let prepared: SqliteDatabase | undefined;
  let lookAtLog: StatementSync | undefined;
  const driver = new SyncingDriver({
    // Synced below; `normal` still syncs before anything is moved from the log into the database.
    database: () => {
      const database = new DatabaseSync(path);
      connection = database;
      database.exec(`pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on;
        pragma busy_timeout = 10000; pragma cache_size = -8192; pragma temp_store = memory;
        pragma wal_autocheckpoint = ${MOVED_HERE}; pragma journal_size_limit = ${LOG_KEPT}`);
      prepared = asKyselyDatabase(database, changes.note);
      return Promise.resolve(prepared);
    },
    prepared: () => prepared,
    state: changes.total,
    inTransaction: () => connection?.isTransaction === true,
    log: path === IN_MEMORY ? undefined : `${path}-wal`,
    mover: path === IN_MEMORY ? undefined : createLogMover(path),
    unmoved() {
      if (!connection || connection.isTransaction) return 0;
      lookAtLog ??= connection.prepare('pragma wal_checkpoint(noop)');
      try {
        const [seen] = lookAtLog.all() as { log: number; checkpointed: number }[];
        return seen ? seen.log - seen.checkpointed : 0;
      } catch {
        // What it needs to know fails elsewhere too, and is told there.
        return 0;
      }
    },
    failures,
  });
  return {
    dialect: new SingleConnectionDialect(driver, (...query) => driver.direct(...query)),
    unsynced: new SingleConnectionDialect(new UnsyncedDriver(driver), (...query) => driver.directUnsynced(...query)),
    state: changes.total,
    stateOf: (tables) => () => changes.of(tables),
    failures,
  };
}

interface Options {
  readonly database: () => Promise<SqliteDatabase>;
  /** The same once it is open. */
  readonly prepared: () => SqliteDatabase | undefined;
  readonly state: () => number;
  readonly inTransaction: () => boolean;
  /** Path of the write-ahead log. */
  readonly log: string | undefined;
  readonly mover: LogMover | undefined;
  /** Pages of the log that are known not to be in the database yet. */
  readonly unmoved: () => number;
  readonly failures: Failures;
}

/**
 * Runs one statement past Kysely's queries, which cost more than SQLite does: `inTransaction` at once, for whoever holds the connection, else when
 * it is its turn.
 */
type Direct = <Row>(
  sql: string,
  parameters: readonly unknown[],
  inTransaction: boolean,
) => QueryResult<Row> | Promise<QueryResult<Row>>;

/** Undefined for databases that have no such way, and where plugins want to see every statement. */
export function directOf(db: Pick<Kysely<unknown>, 'getExecutor'>): Direct | undefined {
  const { adapter, plugins } = db.getExecutor();
  return adapter instanceof SeveralConnections && plugins.length === 0 ? adapter.direct : undefined;
}

class SingleConnectionDialect extends SqliteDialect {
  readonly #driver: Driver;
  readonly #direct: Direct;

  constructor(driver: Driver, direct: Direct) {
    super({ database: () => Promise.reject(new Error('the driver opens the database')) });
    this.#driver = driver;
    this.#direct = direct;
  }

  override createDriver(): Driver {
    return this.#driver;
  }

  /** The driver takes turns itself: Kysely would keep the connection until the log is synced. */
  override createAdapter(): SqliteAdapter {
    return new SeveralConnections(this.#direct);
  }
}

class SeveralConnections extends SqliteAdapter {
  readonly direct: Direct;

  constructor(direct: Direct) {
    super();
    this.direct = direct;
  }

  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class SyncingDriver extends SqliteDriver {
  readonly #options: Options;
  readonly #turns = createMutex();
  /** The log, open. */
  #log: number | undefined;
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
    const written = this.#noteWritten();
    this.#turns.release();
    return written;
  }

  /** True when something was written since it was asked last. */
  #noteWritten(): boolean {
    const state = this.#options.state();
    const written = state !== this.#seen;
    this.#seen = state;
    if (written && this.#options.mover && this.#options.unmoved() >= MOVED_BESIDE) this.#options.mover.move();
    return written;
  }

  override async destroy(): Promise<void> {
    await this.#turns.obtain();
    await this.#options.mover?.close();
    await super.destroy();
    if (this.#log !== undefined) await closeFile(this.#log);
  }

  direct<Row>(sql: string, parameters: readonly unknown[], inTransaction: boolean) {
    if (inTransaction) return this.#run<Row>(sql, parameters);
    return this.#whenFree(() => {
      const result = this.#run<Row>(sql, parameters);
      // The turn began and ended with the statement.
      return this.#noteWritten() && this.#options.log !== undefined ? this.#synced().then(() => result) : result;
    });
  }

  directUnsynced<Row>(sql: string, parameters: readonly unknown[], inTransaction: boolean) {
    if (inTransaction) return this.#run<Row>(sql, parameters);
    return this.#whenFree(() => {
      const result = this.#run<Row>(sql, parameters);
      this.#noteWritten();
      return result;
    });
  }

  /** Does at once what takes no time between its beginning and its end, unless the connection is somebody else's. */
  #whenFree<Result>(work: () => Result): Result | Promise<Awaited<Result>> {
    if (!this.#turns.taken()) return work();
    return this.#afterOthers(work);
  }

  async #afterOthers<Result>(work: () => Result): Promise<Awaited<Result>> {
    await this.#turns.obtain();
    let result: Result;
    try {
      result = work();
    } finally {
      this.#turns.release();
    }
    return await result;
  }

  #run<Row>(sql: string, parameters: readonly unknown[]): QueryResult<Row> {
    const database = this.#options.prepared();
    if (!database) throw new Error('the database is not open');
    try {
      const found = database.prepare(sql);
      if (found.reader) return { rows: found.all(parameters) as Row[] };
      return { rows: [], numAffectedRows: BigInt(found.run(parameters).changes) };
    } catch (error) {
      throw this.#options.failures.translate(error);
    }
  }

  async #sync(): Promise<void> {
    if (this.#logInDoubt) await this.#moveLogIntoDatabase();
    try {
      this.#log ??= await this.#openLog();
      if (this.#log !== undefined) await syncData(this.#log);
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
  async #openLog(): Promise<number | undefined> {
    const { log } = this.#options;
    if (log === undefined) return undefined;
    await syncPath(dirname(log));
    return openFile(log, 'r');
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
