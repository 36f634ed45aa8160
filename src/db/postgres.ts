import { type DatabaseConnection, type Dialect, PostgresDialect, PostgresDriver } from 'kysely';
import pg from 'pg';
import { createFailures, type Failures } from './failures.ts';
import { postgresFailure } from './postgres-trouble.ts';
import type { DatabaseState } from './unchanged.ts';

/** What a new query would see: it differs as soon as any transaction of any replica has committed or begun to write. */
const SNAPSHOT = { name: 'snapshot', text: 'select pg_current_snapshot()::text as snapshot' };

/** The mark of these tables (`0025-decision-state.ts`). */
const DECISIONS = { name: 'decision_state', text: 'select mark from decision_state' };
const DECISION_TABLES: ReadonlySet<string> = new Set(['exceptions', 'quarantines', 'vex_authors', 'vex_documents']);

const CONNECT_MS = 10_000;
const CONNECTIONS = 10;

/** PostgreSQL through `pg`; a small pool, 64-bit integers as numbers (ours are times, sizes and counters below 2^53). */
export function openPostgres(url: string): {
  readonly dialect: Dialect;
  readonly state: DatabaseState;
  readonly stateOf: (tables: readonly string[]) => DatabaseState;
  readonly failures: Failures;
} {
  const failures = createFailures(postgresFailure);
  const pool = createPool(url, CONNECTIONS);
  const state: DatabaseState = async () => {
    const { rows } = await failures.during(() => pool.query<{ snapshot: string }>(SNAPSHOT));
    return rows[0]?.snapshot ?? '';
  };
  const decisions: DatabaseState = async () => {
    const { rows } = await failures.during(() => pool.query<{ mark: string }>(DECISIONS));
    return rows[0]?.mark ?? '';
  };
  return {
    dialect: new WatchedDialect(pool, failures),
    state,
    stateOf: (tables) => (tables.every((table) => DECISION_TABLES.has(table)) ? decisions : state),
    failures,
  };
}

/** Connections to PostgreSQL, so many at most. */
export function createPool(url: string, connections: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    idleTimeoutMillis: 30_000,
    // Also of waiting for a connection that others use.
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types: {
      getTypeParser: (oid, format) =>
        oid === pg.types.builtins.INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format),
    },
  });
  // A connection that breaks while it is idle is replaced when the next one is needed; one that breaks between two statements of a
  // transaction fails the next of them. Unheard, either would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

class WatchedDialect extends PostgresDialect {
  readonly #pool: pg.Pool;
  readonly #failures: Failures;

  constructor(pool: pg.Pool, failures: Failures) {
    super({ pool });
    this.#pool = pool;
    this.#failures = failures;
  }

  override createDriver(): PostgresDriver {
    return new WatchedDriver(this.#pool, this.#failures);
  }
}

class WatchedDriver extends PostgresDriver {
  readonly #failures: Failures;

  constructor(pool: pg.Pool, failures: Failures) {
    super({ pool });
    this.#failures = failures;
  }

  override async acquireConnection(
    ...options: Parameters<PostgresDriver['acquireConnection']>
  ): Promise<DatabaseConnection> {
    return this.#failures.watch(await this.#failures.during(() => super.acquireConnection(...options)));
  }

  /** What a transaction failed of matters, not that a broken connection cannot roll it back either. */
  override async rollbackTransaction(...connection: Parameters<PostgresDriver['rollbackTransaction']>): Promise<void> {
    await super.rollbackTransaction(...connection).catch((error: unknown) => this.#failures.translate(error));
  }
}
