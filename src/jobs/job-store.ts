import { type SqlBool, sql } from 'kysely';
import type { Capabilities } from '../db/capabilities.ts';
import type { Db } from '../db/database.ts';
import { newId } from '../platform/ids.ts';
import { JobError } from './errors.ts';

/** A job that was taken: whoever holds its id holds the lease. */
export interface TakenJob {
  /** New with every lease, so that a worker that lost it cannot end the job of its successor. */
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly payload: unknown;
  /** 1 for the first try. */
  readonly attempt: number;
}

/** A job as people see it. */
export interface JobView {
  readonly kind: string;
  readonly key: string;
  readonly state: 'queued' | 'running' | 'failed';
  /** Epoch ms. */
  readonly runAfter: number;
  readonly attempts: number;
  readonly lastError?: string;
}

export interface NewJob {
  readonly kind: string;
  /** Two jobs of one kind and key are one until it has run; the newest payload counts. */
  readonly key: string;
  /** Plain JSON, small: names of things, not the things. */
  readonly payload: unknown;
  /** Epoch ms before which it does not run; 0 = at once. */
  readonly runAfter?: number;
}

const LARGEST_PAYLOAD = 65_536;
const LONGEST_ERROR = 2000;
/** `run_after` of a job that is being run and was not asked for again meanwhile. */
const NOT_ASKED_AGAIN = 0;

/**
 * Puts a job into the queue, in the caller's transaction when there is one. Asked for while it is running, it runs once more
 * afterwards: what the run under way has read may be old. A job that had failed for good starts anew.
 */
export async function putJob(db: Db, job: NewJob, now: number): Promise<void> {
  const payload = JSON.stringify(job.payload ?? null);
  if (payload.length > LARGEST_PAYLOAD)
    throw new JobError('payload_invalid', `the payload of ${job.kind} ${job.key} is larger than ${LARGEST_PAYLOAD}`);
  const due = Math.max(job.runAfter ?? now, 1);
  await db
    .insertInto('jobs')
    .values({
      id: newId(),
      kind: job.kind,
      key: job.key,
      payload,
      state: 'queued',
      run_after: due,
      attempts: 0,
      leased_until: null,
      last_error: null,
      created_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'key']).doUpdateSet({
        payload,
        // Running and asked for already, or waiting: the earlier of both moments. A wait after a failure is cut short.
        run_after: sql<number>`case when jobs.run_after = ${NOT_ASKED_AGAIN} or jobs.state = 'failed' or jobs.run_after > ${due} then ${due} else jobs.run_after end`,
        attempts: sql<number>`case when jobs.state = 'failed' then 0 else jobs.attempts end`,
        state: sql<string>`case when jobs.state = 'failed' then 'queued' else jobs.state end`,
      }),
    )
    .execute();
}

/** Takes the job that is due longest, or one whose worker died; undefined when there is none. */
export async function takeJob(
  deps: { readonly db: Db; readonly capabilities: Pick<Capabilities, 'skipLocked'> },
  kinds: readonly string[],
  now: number,
  leasedUntil: number,
): Promise<TakenJob | undefined> {
  if (kinds.length === 0) return undefined;
  let due = deps.db
    .selectFrom('jobs')
    .select('id')
    .where('kind', 'in', kinds)
    .where((eb) =>
      eb.or([
        eb.and([eb('state', '=', 'queued'), eb('run_after', '<=', now)]),
        eb.and([eb('state', '=', 'running'), eb('leased_until', '<', now)]),
      ]),
    )
    .orderBy('run_after')
    .limit(1);
  if (deps.capabilities.skipLocked) due = due.forUpdate().skipLocked();
  const row = await deps.db
    .updateTable('jobs')
    .set({
      id: newId(),
      state: 'running',
      run_after: NOT_ASKED_AGAIN,
      leased_until: leasedUntil,
      attempts: sql<number>`attempts + 1`,
    })
    .where('id', '=', due)
    .returning(['id', 'kind', 'key', 'payload', 'attempts'])
    .executeTakeFirst();
  return row && { ...row, payload: JSON.parse(row.payload) as unknown, attempt: row.attempts };
}

/** Keeps the lease; false when it is lost. */
export async function renewLease(db: Db, id: string, leasedUntil: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('jobs')
    .set({ leased_until: leasedUntil })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The job is done: its row goes, unless it was asked for again meanwhile, or comes round (`nextRun`, epoch ms). */
export async function finishJob(db: Db, id: string, nextRun?: number): Promise<void> {
  if (nextRun === undefined) {
    const done = await db
      .deleteFrom('jobs')
      .where('id', '=', id)
      .where('run_after', '=', NOT_ASKED_AGAIN)
      .executeTakeFirst();
    if (done.numDeletedRows > 0n) return;
  }
  await requeue(db, id, { next: nextRun ?? 1, attempts: 0, error: null });
}

/** It failed and is tried again at `next`, or earlier when it was asked for meanwhile. */
export async function retryJob(db: Db, job: TakenJob, next: number, error: string): Promise<void> {
  await requeue(db, job.id, { next, attempts: job.attempt, error });
}

/** It failed for good, and stays for people to see; asked for again meanwhile, it starts anew. */
export async function failJob(db: Db, id: string, error: string): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('jobs')
    .set({ state: 'failed', leased_until: null, last_error: error.slice(0, LONGEST_ERROR) })
    .where('id', '=', id)
    .where('run_after', '=', NOT_ASKED_AGAIN)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) await requeue(db, id, { next: 1, attempts: 0, error });
}

async function requeue(
  db: Db,
  id: string,
  set: { readonly next: number; readonly attempts: number; readonly error: string | null },
): Promise<void> {
  await db
    .updateTable('jobs')
    .set({
      state: 'queued',
      leased_until: null,
      attempts: set.attempts,
      last_error: set.error?.slice(0, LONGEST_ERROR) ?? null,
      run_after: sql<number>`case when run_after = ${NOT_ASKED_AGAIN} or run_after > ${set.next} then ${set.next} else run_after end`,
    })
    .where('id', '=', id)
    .execute();
}

/** Makes sure that a schedule has its one row, due no later than `latest`. */
export async function ensureScheduled(db: Db, kind: string, key: string, now: number, latest: number): Promise<void> {
  await db
    .insertInto('jobs')
    .values({
      id: newId(),
      kind,
      key,
      payload: 'null',
      state: 'queued',
      run_after: now,
      attempts: 0,
      leased_until: null,
      last_error: null,
      created_at: now,
    })
    .onConflict((conflict) => conflict.columns(['kind', 'key']).doNothing())
    .execute();
  await db
    .updateTable('jobs')
    .set({ state: 'queued', run_after: latest, attempts: 0 })
    .where('kind', '=', kind)
    .where('key', '=', key)
    .where((eb) =>
      eb.or([eb('state', '=', 'failed'), eb.and([eb('state', '=', 'queued'), eb('run_after', '>', latest)])]),
    )
    .execute();
}

/** Jobs that wait, run or failed, those due longest first. */
export async function listJobs(
  db: Db,
  query: { readonly state?: JobView['state']; readonly limit: number },
): Promise<JobView[]> {
  const rows = await db
    .selectFrom('jobs')
    .selectAll()
    .where((eb) => (query.state === undefined ? eb.lit<SqlBool>(true) : eb('state', '=', query.state)))
    .orderBy('run_after')
    .limit(query.limit)
    .execute();
  return rows.map(({ kind, key, state, run_after, attempts, last_error }) => ({
    kind,
    key,
    state: state as JobView['state'],
    runAfter: run_after,
    attempts,
    ...(last_error === null ? {} : { lastError: last_error }),
  }));
}
