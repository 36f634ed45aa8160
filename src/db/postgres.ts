import { type Dialect, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { DatabaseState } from './unchanged.ts';

/** What a new query would see: it differs as soon as any transaction of any replica has committed or begun to write. */
const SNAPSHOT = { name: 'snapshot', text: 'select pg_current_snapshot()::text as snapshot' };

/** PostgreSQL through `pg`; a small pool, 64-bit integers as numbers (ours are times, sizes and counters below 2^53). */
export function openPostgres(url: string): { readonly dialect: Dialect; readonly state: DatabaseState } {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    idleTimeoutMillis: 30_000,
    types: {
      getTypeParser: (oid, format) =>
        oid === pg.types.builtins.INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format),
    },
  });
  // A connection that breaks while it is idle is replaced when the next one is needed; one that breaks between two statements of a
  // transaction fails the next of them. Unheard, either would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    dialect: new PostgresDialect({ pool }),
    state: async () => {
      const { rows } = await pool.query<{ snapshot: string }>(SNAPSHOT);
      return rows[0]?.snapshot ?? '';
    },
  };
}
