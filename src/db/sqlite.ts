import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type Dialect, SqliteDialect } from 'kysely';
import type { DatabaseState } from './unchanged.ts';

const STATEMENTS_KEPT = 500;

/**
 * SQLite through Node's own driver; `path` is a file or `:memory:`. WAL, full fsync on commit, foreign keys on. There is one connection,
 * and the data folder is locked, so whatever changes the database goes through it: `state` counts that.
 */
export function openSqlite(path: string): { readonly dialect: Dialect; readonly state: DatabaseState } {
  let changes = 0;
  const dialect = new SqliteDialect({
    database: () => {
      const database = new DatabaseSync(path);
      database.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
        pragma busy_timeout = 10000; pragma cache_size = -32768; pragma temp_store = memory`);
      return Promise.resolve(
        asKyselyDatabase(database, () => {
          changes += 1;
        }),
      );
    },
  });
  return { dialect, state: () => changes };
}

/** Only reads for certain: a query that begins otherwise may change something. */
const READS = /^select\b/i;

/** Kysely expects better-sqlite3's shape; Node's driver differs in how it takes parameters and names readers. */
function asKyselyDatabase(database: DatabaseSync, onChange: () => void) {
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
