import type { Db } from '../db/database.ts';
import { projectOf } from '../model/project-name.ts';
import { addEvents, onlyOnce } from '../notify/outbox.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Caller, ManifestSubject } from '../registry/ports.ts';

const HOUR_MS = 3_600_000;
/** Pulls remembered as told; of more than that some are asked about in the database again. */
const MOST_REMEMBERED = 20_000;
const MOST_UNDER_WAY = 20;

/** Told of pulls that the gate refused. Costs the pull nothing. */
export interface BlockedPulls {
  refused(manifest: ManifestSubject, caller: Caller, message: string): void;
  /** Waits for what is under way. */
  idle(): Promise<void>;
}

/** Has receivers told of refused pulls, at most once an hour for each image and account: a node repeats them every minute. */
export function createBlockedPulls(deps: {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
}): BlockedPulls {
  const { db, clock, logger } = deps;
  const told = new Map<string, number>();
  const underWay = new Set<Promise<void>>();

  async function tell(manifest: ManifestSubject, by: string, message: string, now: number): Promise<void> {
    const { repository, digest, reference } = manifest;
    await db.transaction().execute(async (tx) => {
      const key = `PULL_BLOCKED ${repository}@${digest} ${by}`;
      if (!(await onlyOnce(tx, key, { now, until: now + HOUR_MS }))) return;
      await addEvents(tx, [
        {
          type: 'PULL_BLOCKED',
          subject: `${repository}@${digest}`,
          project: projectOf(repository),
          repository,
          at: now,
          data: { repository, digest, ...(reference === undefined ? {} : { reference }), by, message },
        },
      ]);
    });
  }

  return {
    refused(manifest, caller, message) {
      const by = caller.name === '' ? 'anonymous' : caller.name;
      const key = `${manifest.repository}@${manifest.digest} ${by}`;
      const now = clock.now();
      if (now < (told.get(key) ?? 0) || underWay.size >= MOST_UNDER_WAY) return;
      if (told.size >= MOST_REMEMBERED) told.clear();
      told.set(key, now + HOUR_MS);
      const work = tell(manifest, by, message, now)
        .catch((error: unknown) => {
          told.delete(key);
          logger.warn({ problem: messageOf(error) }, 'a refused pull could not be told of');
        })
        .finally(() => underWay.delete(work));
      underWay.add(work);
    },
    async idle() {
      await Promise.all(underWay);
    },
  };
}
