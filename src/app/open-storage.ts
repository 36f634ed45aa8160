import { nameOf, SYSTEM } from '../auth/principal.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { OpenStorage } from '../cli/cli.ts';
import type { Config } from '../config.ts';
import { capabilitiesOf } from '../db/capabilities.ts';
import { createJobQueue } from '../jobs/queue.ts';
import { systemClock } from '../platform/clock.ts';
import { createLogger } from '../platform/logger.ts';
import { enqueueJudging } from '../verdicts/ingest.ts';
import { openBlobStorage } from './blob-storage.ts';
import { openServices } from './services.ts';

/** Opens what a server stands on for a command, with the same lock: neither runs while the other has the folder. */
export async function openStorage(config: Config): Promise<OpenStorage> {
  const clock = systemClock;
  const logger = createLogger(config.logLevel);
  const { db, blobs, projects, ledger, advisories, handle, lock, quarantine } = await openServices({
    config,
    clock,
    logger,
  });
  // Never started: the work is for a server.
  const jobs = createJobQueue({ db, clock, logger, capabilities: capabilitiesOf(handle.engine), handlers: new Map() });
  const actor = nameOf(SYSTEM);
  return {
    db,
    clock,
    blobs,
    quarantine,
    defaultQuota: config.projectQuota,
    actor,
    judge: (subject) => enqueueJudging(jobs, subject),
    projects: {
      async kindOf(name) {
        const project = await projects.find(name);
        return project && (project.upstream ? 'mirror' : 'ordinary');
      },
      async create(name) {
        await projects.create(SYSTEM, { name });
      },
    },
    record: (note) => ledger.record({ ...note, actor }),
    async close() {
      advisories.close();
      await handle.close();
      lock.release();
    },
  };
}

/** The blob storage alone, for reading beside a server, or for filling one that has none yet. */
export function openBlobs(config: Config): Promise<BlobStore> {
  return openBlobStorage(config, systemClock);
}
