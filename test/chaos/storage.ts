import { join } from 'node:path';
import type { DatabaseLocation } from '../../src/db/database.ts';
import { type KillablePostgres, startKillablePostgres } from '../support/killable-postgres.ts';

export const DATABASES = ['sqlite', 'postgres'] as const;
export type Database = (typeof DATABASES)[number];

/** Where the server under test keeps its rows. */
export interface Storage {
  readonly location: DatabaseLocation;
  readonly environment: NodeJS.ProcessEnv;
  /** Present where it is a process of its own that can be killed. */
  readonly postgres?: KillablePostgres;
  stop(): Promise<void>;
}

/** `careless`: PostgreSQL says that something is committed before it has written it. */
export async function startStorage(
  database: Database,
  { dataDir, careless }: { readonly dataDir: string; readonly careless: boolean },
): Promise<Storage> {
  if (database === 'sqlite')
    return {
      location: { engine: 'sqlite', path: join(dataDir, 'breakwater.db') },
      environment: {},
      stop: async () => undefined,
    };
  const postgres = await startKillablePostgres(careless ? ['synchronous_commit=off', 'wal_writer_delay=500'] : []);
  return {
    location: { engine: 'postgres', url: postgres.url },
    environment: { BREAKWATER_DATABASE_URL: postgres.url },
    postgres,
    stop: () => postgres.stop(),
  };
}
