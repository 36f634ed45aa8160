import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { ReviewKind } from '../registry/reviews.ts';
import type { Summary } from './collect.ts';
import { readState, writeState } from './kept-state.ts';
import { type ScrubState, scrubState } from './scrub.ts';

export interface QueueStatus {
  readonly waiting: number;
  /** Of those: their delay is over. */
  readonly due: number;
  /** Of those: for more than an hour, so the work does not keep up, or fails. */
  readonly overdue: number;
  /** Their last try failed. */
  readonly failing: number;
}

export interface GcStatus {
  readonly delayMs: number;
  readonly queue: Readonly<Record<ReviewKind, QueueStatus>>;
  /** Blobs that are not served until they are pushed again. */
  readonly damaged: number;
  /** The last run that had something to do. */
  readonly lastRun?: Summary & { readonly at: number };
  readonly scrub?: ScrubState;
}

const LAST_RUN = 'gc.last-run';
const OVERDUE_MS = 3_600_000;
const EMPTY: QueueStatus = { waiting: 0, due: 0, overdue: 0, failing: 0 };

export async function noteRun(db: Db, at: number, summary: Summary): Promise<void> {
  if (summary.reviewed > 0) await writeState(db, LAST_RUN, { at, ...summary });
}

/** How garbage collection stands. */
export async function readStatus(deps: {
  readonly db: Db;
  readonly clock: Clock;
  readonly delayMs: number;
}): Promise<GcStatus> {
  const { db, delayMs } = deps;
  const now = deps.clock.now();
  const dueAt = (moment: number) => sql`changed_at <= ${moment - delayMs} and not_before <= ${moment}`;
  const count = (condition: ReturnType<typeof dueAt>) => sql<number>`sum(case when ${condition} then 1 else 0 end)`;
  const rows = await db
    .selectFrom('gc_reviews')
    .select(({ fn }) => [
      'kind',
      fn.countAll<number>().as('waiting'),
      count(dueAt(now)).as('due'),
      count(dueAt(now - OVERDUE_MS)).as('overdue'),
      count(sql`attempts > 0`).as('failing'),
    ])
    .groupBy('kind')
    .execute();
  const { damaged } = await db
    .selectFrom('blobs')
    .select(({ fn }) => fn.countAll<number>().as('damaged'))
    .where('withheld_at', 'is not', null)
    .where('withheld_for', '=', 'damaged')
    .executeTakeFirstOrThrow();
  const lastRun = await readState<Summary & { at: number }>(db, LAST_RUN);
  const scrubbing = await scrubState(deps);
  const queue: Record<ReviewKind, QueueStatus> = { manifest: EMPTY, link: EMPTY, blob: EMPTY };
  for (const { kind, ...counts } of rows) queue[kind as ReviewKind] = counts;
  return {
    delayMs,
    queue,
    damaged,
    ...(lastRun ? { lastRun } : {}),
    ...(scrubbing ? { scrub: scrubbing } : {}),
  };
}
