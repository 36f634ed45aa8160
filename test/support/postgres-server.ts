import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/db/database.ts';
import { newPostgres } from './embedded-postgres.ts';
import { freePort } from './free-port.ts';
import { TEMPLATE } from './template-database.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** postgres://…/ without a database name. */
    postgresUrl: string;
  }
}

export interface PostgresServer {
  /** Of a database with the schema. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one real PostgreSQL server for all integration tests and stops it after them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  project.provide('postgresUrl', server.url.slice(0, -TEMPLATE.length));
  return () => server.stop();
}

/** Starts a real PostgreSQL server of its own. */
export async function startPostgres(): Promise<PostgresServer> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'breakwater-postgres-'));
  const port = await freePort();
  const server = newPostgres(databaseDir, port, {
    initdbFlags: ['--no-sync'],
    // Tests do not pull the plug of this machine.
    postgresFlags: ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
  });
  await server.initialise();
  await server.start();
  await server.createDatabase(TEMPLATE);
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/${TEMPLATE}`;
  const handle = await openDatabase({ engine: 'postgres', url });
  await handle.close();
  return {
    url,
    async stop() {
      await server.stop();
      await rm(databaseDir, { recursive: true, force: true });
    },
  };
}
