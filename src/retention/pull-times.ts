import { sql } from 'kysely';
import { type Db, unsynced } from '../db/database.ts';
import type { Digest } from '../oci/digest.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { PullObserver } from '../registry/ports.ts';

/** What is remembered between two flushes goes with a process that crashes: a minute of pulls at most. */
const FLUSH_EVERY_MS = 60_000;
/** A time that was written this recently is good enough. */
const PRECISION_MS = 3_600_000;
const ROWS_AT_ONCE = 500;
/** Manifests whose pulls wait to be written, and those known to be written; some 30 MB of each. */
const MOST_REMEMBERED = 100_000;
/** Of `settings`: since when pulls are noted at all. */
const SINCE = 'pulls.since';

export interface PullTimes extends PullObserver {
  /** Begins to write by itself; may be called again when that failed. */
  start(): Promise<void>;
  /** Writes what was noted until now. */
  flush(): Promise<void>;
  /** Writes the last of it. */
  close(): Promise<void>;
}

/** Notes when manifests are pulled: in memory, and once a minute in the database, for those whose time there is an hour old. */
export function createPullTimes(deps: { readonly db: Db; readonly clock: Clock; readonly logger: Logger }): PullTimes {
  const { db, clock, logger } = deps;
  /** By repository and digest; the newest pull. */
  let noted = new Map<string, number>();
  const written = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    const batch = [...noted].filter(([key, at]) => at - (written.get(key) ?? Number.NEGATIVE_INFINITY) >= PRECISION_MS);
    noted = new Map();
    // Sorted, so that replicas take the rows in one order.
    batch.sort(([a], [b]) => (a < b ? -1 : 1));
    for (let start = 0; start < batch.length; start += ROWS_AT_ONCE) {
      const rows = batch.slice(start, start + ROWS_AT_ONCE);
      try {
        await writeTimes(unsynced(db), rows);
      } catch (error) {
        // They are tried again with what is pulled until then.
        for (const [key, at] of batch.slice(start)) if (!noted.has(key)) noted.set(key, at);
        throw error;
      }
      for (const [key, at] of rows) written.set(key, at);
    }
    if (written.size > MOST_REMEMBERED) written.clear();
  }

  function flush(): Promise<void> {
    flushing = flushing.then(write, write);
    return flushing;
  }

  function flushByItself(): void {
    flush().catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'times of pulls were not written'));
  }

  return {
    pulled(repositoryId, digest: Digest) {
      const key = `${repositoryId} ${digest}`;
      // Without the database they can only be forgotten at some time; who asks for so many keeps nothing else from being noted.
      if (noted.size >= MOST_REMEMBERED && !noted.has(key)) return;
      noted.set(key, clock.now());
    },
    async start() {
      await notePullsSince(db, clock.now());
      clearInterval(timer);
      timer = setInterval(flushByItself, FLUSH_EVERY_MS).unref();
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush().catch((error: unknown) =>
        logger.warn({ error: messageOf(error) }, 'the last times of pulls were not written'),
      );
    },
  };
}

async function writeTimes(db: Db, rows: readonly (readonly [key: string, at: number])[]): Promise<void> {
  await db
    .insertInto('manifest_pulls')
    .values(
      rows.map(([key, pulled_at]) => {
        const [repository_id = '', digest = ''] = key.split(' ');
        return { repository_id, digest, pulled_at };
      }),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['repository_id', 'digest'])
        .doUpdateSet({ pulled_at: sql<number>`excluded.pulled_at` })
        .whereRef('manifest_pulls.pulled_at', '<', sql`excluded.pulled_at`),
    )
    .execute();
}

/** Forgets the pulls of manifests that are no more. */
export async function forgetOldPulls(db: Db): Promise<void> {
  await db
    .deleteFrom('manifest_pulls')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('manifests as m')
            .select('m.digest')
            .whereRef('m.repository_id', '=', 'manifest_pulls.repository_id')
            .whereRef('m.digest', '=', 'manifest_pulls.digest'),
        ),
      ),
    )
    .execute();
}

async function notePullsSince(db: Db, now: number): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key: SINCE, value: String(now) })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
}

/** Since when pulls are noted (epoch ms); before that nobody knows. Never noted: as of `now`. */
export async function pullsSince(db: Db, now: number): Promise<number> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', SINCE).executeTakeFirst();
  return row ? Number(row.value) : now;
}
