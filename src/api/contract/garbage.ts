import { z } from 'zod';
import { moment } from './common.ts';
import { endpoint } from './endpoint.ts';

const count = z.number().int();
const queue = z.object({ waiting: count, due: count, overdue: count, failing: count });
/** Of manifests, of blobs in one repository, and of blobs everywhere. */
const byKind = <Value extends z.ZodType>(value: Value) => z.object({ manifest: value, link: value, blob: value });
const summary = z.object({ reviewed: count, deleted: byKind(count), bytes: count, failed: count });

export const gcStatus = endpoint('gcStatus', 'GET /gc', 'gc:read', 'How garbage collection and scrubbing stand', {
  reply: z.object({
    delaySeconds: z.number(),
    queue: byKind(queue),
    damaged: count,
    lastRun: summary.extend({ at: moment }).optional(),
    scrub: z
      .object({
        startedAt: moment,
        finishedAt: moment.optional(),
        checked: count,
        bytes: count,
        damaged: count,
        unreadable: count,
      })
      .optional(),
  }),
});

export const runGc = endpoint('runGc', 'POST /gc/runs', 'gc:run', 'Collect the garbage that is due now', {
  body: z.object({ dryRun: z.boolean().default(false) }).strict(),
  /** `more`: there is more to review than one call does. */
  reply: summary.extend({ more: z.boolean() }),
});
