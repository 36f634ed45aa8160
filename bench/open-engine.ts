import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatabaseHandle, openDatabase } from '../src/db/database.ts';
import type { Engine } from '../src/db/engine.ts';
import { newPostgres } from '../test/support/embedded-postgres.ts';
import { freePort } from '../test/support/free-port.ts';

/** An empty database: a SQLite file in the folder, or a PostgreSQL server of its own. */
export async function openEngine(
  engine: Engine,
  folder: string,
): Promise<{ readonly handle: DatabaseHandle; readonly url?: string; stop(): Promise<void> }> {
  if (engine === 'sqlite') {
    const handle = await openDatabase({ engine, path: join(folder, 'breakwater.sqlite') });
    return { handle, stop: () => handle.close() };
  }
  const port = await freePort();
  // A folder of its own: the server runs under another account.
  const databaseDir = await mkdtemp(join(tmpdir(), 'breakwater-rematch-postgres-'));
  const server = newPostgres(databaseDir, port);
  await server.initialise();
  await server.start();
  await server.createDatabase('bench');
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/bench`;
  const handle = await openDatabase({ engine, url });
  return {
    handle,
    url,
    async stop() {
      await handle.close();
      await server.stop();
      await rm(databaseDir, { recursive: true, force: true });
    },
  };
}
