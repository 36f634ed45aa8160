import { type Dialect, PostgresDialect } from 'kysely';
import pg from 'pg';

/** PostgreSQL through `pg`; a small pool, 64-bit integers as numbers (ours are times, sizes and counters below 2^53). */
export function postgresDialect(url: string): Dialect {
  return new PostgresDialect({
    pool: () =>
      Promise.resolve(
        new pg.Pool({
          connectionString: url,
          max: 10,
          idleTimeoutMillis: 30_000,
          types: {
            getTypeParser: (oid, format) =>
              oid === pg.types.builtins.INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format),
          },
        }),
      ),
  });
}
