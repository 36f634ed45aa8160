import fastify from 'fastify';
import { openFilesystemBlobStore } from '../blobs/drivers/filesystem.ts';
import { openDatabase } from '../db/database.ts';
import { createLedger } from '../ledger/ledger.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { createReads } from './reads.ts';
import { registryRoutes } from './routes.ts';

/** A registry as a process of its own, to be killed: `node crash-server.testing.ts <folder>`. Prints its address. */
const [, , root = ''] = process.argv;
const handle = await openDatabase({ engine: 'sqlite', path: `${root}/db.sqlite` });
const { db } = handle;
await db
  .insertInto('projects')
  .values({ id: 'front', name: 'front', public: 0, created_by: 'test', created_at: 0 })
  .onConflict((conflict) => conflict.doNothing())
  .execute();
const app = fastify({ requestTimeout: 0 });
await app.register(registryRoutes, {
  db,
  blobs: await openFilesystemBlobStore({ root: `${root}/blobs`, clock: systemClock }),
  reads: createReads(handle),
  ledger: createLedger({ db, clock: systemClock }),
  clock: systemClock,
  logger: silentLogger,
  service: 'breakwater',
  authenticate: async () => ({ name: 'test', bypassesGate: false, may: () => true }),
  gate: { decide: async () => ({ kind: 'serve', warnings: [] }) },
  ingest: { blobCommitted: () => undefined, manifestStored: async () => ({ warnings: [] }) },
});
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`);
