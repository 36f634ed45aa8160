import { startPostgres } from '../support/postgres-server.ts';

/** Something the server stores in, started for one run. */
export interface Storage {
  readonly name: string;
  /** Settings that make the server use it. */
  start(): Promise<{ readonly environment: NodeJS.ProcessEnv; stop(): Promise<void> }>;
}

const nothingToStop = async () => undefined;

/** Where blobs are kept. */
export const BLOB_STORAGES: readonly Storage[] = [
  { name: 'filesystem', start: async () => ({ environment: {}, stop: nothingToStop }) },
];

/** Where everything else is kept. */
export const DATABASES: readonly Storage[] = [
  { name: 'SQLite', start: async () => ({ environment: {}, stop: nothingToStop }) },
  {
    name: 'PostgreSQL',
    async start() {
      const server = await startPostgres();
      return { environment: { BREAKWATER_DATABASE_URL: server.url }, stop: () => server.stop() };
    },
  },
];
