import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely';
import { syncPath } from '../platform/sync-path.ts';
import type { DatabaseLocation, Db } from './database.ts';
import { createPool, openPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';
import { asKyselyDatabase } from './sqlite.ts';
import type { DatabaseState } from './unchanged.ts';

/**
 * Writes the state of a SQLite database at one moment into a new file, durably, while others go on writing to it: everything they were
 * acknowledged before is in it. Fails when the file exists.
 */
export async function snapshotDatabase(path: string, to: string): Promise<void> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec('pragma busy_timeout = 60000');
    database.prepare('vacuum into ?').run(to);
  } finally {
    database.close();
  }
  for (const changed of [to, dirname(to)]) await syncPath(changed);
}

export interface Snapshot {
  readonly db: Db;
  /** What SQLite has against the file; empty when it is sound. */
  faults(): Promise<string[]>;
  close(): Promise<void>;
}

/** Opens a snapshot for reading. It is never changed, not even brought up to date. */
export function openSnapshot(path: string): Snapshot {
  const db = new Kysely<Schema>({
    dialect: new SqliteDialect({
      database: async () => asKyselyDatabase(new DatabaseSync(path, { readOnly: true }), () => undefined),
    }),
  });
  return {
    db,
    async faults() {
      const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(20)`.execute(db);
      return rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
    },
    close: () => db.destroy(),
  };
}

/** A connection for reading what others write meanwhile, to a file or a server. */
export interface Reading {
  readonly db: Db;
  /** Undefined where only those who write know when something changed. */
  readonly stateOf: ((tables: readonly (keyof Schema)[]) => DatabaseState) | undefined;
  close(): Promise<void>;
}

/** Opens one beside those that the program has. Not for databases in memory, which have one connection. */
export function openForReading(location: DatabaseLocation): Reading {
  if (location.engine === 'sqlite') return { ...openSnapshot(location.path), stateOf: undefined };
  const { dialect, stateOf } = openPostgres(location.url);
  const db = new Kysely<Schema>({ dialect });
  return { db, stateOf, close: () => db.destroy() };
}

/**
 * Runs something on the database as it is at one moment, over a connection of its own that cannot write; others go on writing
 * meanwhile. Not for databases in memory, which have one connection.
 */
export async function readAtOneMoment<Result>(
  location: DatabaseLocation,
  run: (db: Db) => Promise<Result>,
): Promise<Result> {
  if (location.engine === 'sqlite') {
    const snapshot = openSnapshot(location.path);
    try {
      return await snapshot.db.transaction().execute(run);
    } finally {
      await snapshot.close();
    }
  }
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: createPool(location.url, 1) }) });
  try {
    return await db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(run);
  } finally {
    await db.destroy();
  }
}
