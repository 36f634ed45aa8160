import type { Db } from '../db/database.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

/** When robots were used last: kept in memory and written every minute, because a write for every login is dear. */
export interface RobotUse {
  note(robotId: string, at: number): void;
  /** Writes what is not written yet. */
  flush(): Promise<void>;
  /** The same, and no more after it. */
  close(): Promise<void>;
}

const FLUSH_MS = 60_000;

export function createRobotUse(deps: {
  readonly db: Db;
  readonly logger: Logger;
  readonly flushMs?: number;
}): RobotUse {
  const { db, logger, flushMs = FLUSH_MS } = deps;
  let seen = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (seen.size === 0) return;
    const written = seen;
    seen = new Map();
    await db.transaction().execute(async (tx) => {
      // In one order, so that two replicas do not wait for each other.
      for (const [id, at] of [...written].sort(([a], [b]) => (a < b ? -1 : 1)))
        await tx
          .updateTable('robots')
          .set({ last_used_at: at })
          .where('id', '=', id)
          .where((where) => where.or([where('last_used_at', 'is', null), where('last_used_at', '<', at)]))
          .execute();
    });
  }

  return {
    note(robotId, at) {
      seen.set(robotId, at);
      if (closed) return;
      timer ??= setTimeout(() => {
        flush().catch((error: unknown) =>
          logger.warn({ error: messageOf(error) }, 'when robots were used last could not be written'),
        );
      }, flushMs).unref();
    },
    flush,
    async close() {
      closed = true;
      await flush();
    },
  };
}
