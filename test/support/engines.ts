import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { type DatabaseHandle, type DatabaseLocation, openDatabase } from '../../src/db/database.ts';
import type { Engine } from '../../src/db/engine.ts';
import { TEMPLATE } from './template-database.ts';

/** Every engine a store must work on; use as `describe.each(ENGINES)('… on %s', (engine) => …)` in `.itest.ts` files. */
export const ENGINES: readonly Engine[] = ['sqlite', 'postgres'];

/** A fresh, migrated database of its own: SQLite in memory, or a new database on the test PostgreSQL server. */
export async function freshDatabase(engine: Engine): Promise<DatabaseHandle> {
  if (engine === 'sqlite') return openDatabase({ engine, path: ':memory:' });
  return openDatabase({ engine, url: await freshPostgresUrl() });
}

/** The same where another process finds it too: SQLite in a file of the folder. */
export async function freshDatabaseAt(
  engine: Engine,
  folder: string,
): Promise<{ readonly handle: DatabaseHandle; readonly location: DatabaseLocation }> {
  const location: DatabaseLocation =
    engine === 'sqlite'
      ? { engine, path: join(folder, `${randomUUID()}.sqlite`) }
      : { engine, url: await freshPostgresUrl() };
  return { handle: await openDatabase(location), location };
}

/** Creates an empty database with the schema on the test PostgreSQL server and gives its URL. */
async function freshPostgresUrl(): Promise<string> {
  const server = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client({ connectionString: `${server}postgres` });
  await client.connect();
  await client.query(`create database ${name} template ${TEMPLATE}`);
  await client.end();
  return `${server}${name}`;
}
