import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';
import { createGroupSync } from './group-sync.ts';
import { createMutex } from './mutex.ts';
import type { DatabaseState } from './unchanged.ts';

const STATEMENTS_KEPT = 500;
const IN_MEMORY = ':memory:';

/**
 * SQLite through Node's own driver; `path` is a file or `:memory:`. WAL, foreign keys on. What was written is durable when the promise of the
 * query or transaction resolves: the write-ahead log is synced then, outside the thread that serves requests, once for all who wait. There is
 * one connection, and the data folder is locked, so whatever changes the database goes through it: `state` counts that.
 */
export function openSqlite(path: string): { readonly dialect: Dialect; readonly state: DatabaseState } {
  let changes = 0;
  const dialect = new SingleConnectionDialect({
    // Synced below; `normal` still syncs before anything is moved from the log into the database.
    database: () => {
      const database = new DatabaseSync(path);
      database.exec(`pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on;
        pragma busy_timeout = 10000; pragma cache_size = -32768; pragma temp_store = memory;
        pragma wal_autocheckpoint = 8192`);
      return Promise.resolve(
        asKyselyDatabase(database, () => {
          changes += 1;
        }),
      );
    },
    state: () => changes,
    log: path === IN_MEMORY ? undefined : `${path}-wal`,
  });
  return { dialect, state: () => changes };
}

interface Options {
  readonly database: () => Promise<SqliteDatabase>;
  readonly state: () => number;
  /** Path of the write-ahead log. */
  readonly log: string | undefined;
}

class SingleConnectionDialect extends SqliteDialect {
  readonly #options: Options;

  constructor(options: Options) {
    super(options);
    this.#options = options;
  }

  override createDriver(): SqliteDriver {
    return new SyncingDriver(this.#options);
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
  readonly #synced = createGroupSync(async () => {
    this.#log ??= await this.#openLog();
    await this.#log?.datasync();
  });

  constructor(options: Options) {
    super(options);
    this.#options = options;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.obtain();
    return super.acquireConnection();
  }

  override async releaseConnection(): Promise<void> {
    const state = this.#options.state();
    const written = state !== this.#seen;
    this.#seen = state;
    this.#turns.release();
    if (written && this.#options.log !== undefined) await this.#synced();
  }

  override async destroy(): Promise<void> {
    await this.#turns.obtain();
    await super.destroy();
    await this.#log?.close();
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

/** Only reads for certain: a query that begins otherwise may change something. */
const READS = /^select\b/i;

/** Kysely expects better-sqlite3's shape; Node's driver differs in how it takes parameters and names readers. */
export function asKyselyDatabase(database: DatabaseSync, onChange: () => void): SqliteDatabase {
  const statements = new Map<string, StatementSync>();
  function prepared(sql: string): StatementSync {
    let statement = statements.get(sql);
    if (statement) statements.delete(sql);
    else statement = database.prepare(sql);
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
      if (!READS.test(sql)) onChange();
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters: readonly unknown[]) =>
          statement.iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>,
      };
    },
  };
}
