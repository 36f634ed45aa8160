import { startPostgres } from '../support/postgres-server.ts';
import { S3_ACCOUNT, startS3Server } from '../support/s3-server.ts';

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
  {
    name: 'S3',
    async start() {
      const server = await startS3Server();
      await server.createBucket('conformance');
      return {
        environment: {
          BREAKWATER_BLOBS: 's3://conformance',
          BREAKWATER_S3_ENDPOINT: server.endpoint,

          BREAKWATER_S3_ACCESS_KEY: S3_ACCOUNT.accessKeyId,
          BREAKWATER_S3_SECRET_KEY: S3_ACCOUNT.secretAccessKey,
        },
        stop: () => server.stop(),
      };
    },
  },
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
