import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect, sql } from 'kysely';
import type { Db } from './database.ts';
import type { Schema } from './schema.ts';
import { asKyselyDatabase } from './sqlite.ts';

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
  for (const changed of [to, dirname(to)]) {
    const handle = await open(changed, 'r');
    await handle.sync();
    await handle.close();
  }
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
