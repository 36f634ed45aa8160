import { z } from 'zod';
import type { JobQueue } from '../jobs/queue.ts';
import { parseDigest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { IngestObserver } from '../registry/ports.ts';
import type { Vex } from '../vex/vex.ts';

/** Kind of the job that reads what is attached to an image, where that failed when it was stored. */
const READ_JOB = 'read-attached-vex';
const payload = z.object({ repositoryId: z.string(), digest: z.string(), reference: z.string().optional() });

interface Deps {
  readonly vex: Pick<Vex, 'readAttached'>;
  readonly jobs: Pick<JobQueue, 'enqueue'>;
  readonly logger: Logger;
  /** Who else is told, first. */
  readonly next: IngestObserver;
}

/** Reads VEX that is attached to images as it is stored, so that the pull after the push is decided by it. */
export function createVexObserver({ vex, jobs, logger, next }: Deps): {
  readonly observer: IngestObserver;
  readonly jobHandlers: ReadonlyMap<string, (payload: unknown) => Promise<void>>;
} {
  return {
    observer: {
      blobCommitted: (blob) => next.blobCommitted(blob),
      async manifestStored(subject) {
        const told = await next.manifestStored(subject);
        if (subject.kind === 'artifact')
          try {
            await vex.readAttached(subject);
          } catch (error) {
            const { repositoryId, digest, reference } = subject;
            logger.error({ digest, reason: messageOf(error) }, 'attached VEX could not be read; it is tried again');
            await jobs.enqueue({
              kind: READ_JOB,
              key: `${repositoryId} ${digest}`,
              payload: { repositoryId, digest, ...(reference === undefined ? {} : { reference }) },
            });
          }
        return told;
      },
    },
    jobHandlers: new Map([
      [
        READ_JOB,
        async (input: unknown) => {
          const { repositoryId, digest, reference } = payload.parse(input);
          await vex.readAttached({
            repositoryId,
            digest: parseDigest(digest),
            ...(reference === undefined ? {} : { reference }),
          });
        },
      ],
    ]),
  };
}
