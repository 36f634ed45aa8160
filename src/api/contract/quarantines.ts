import { z } from 'zod';
import { listOf, moment, reason, runningContainer } from './common.ts';
import { endpoint } from './endpoint.ts';

export const quarantine = z.object({
  id: z.string(),
  /** A digest, or a package URL with its versions. */
  target: z.string(),
  digest: z.string().optional(),
  purl: z.string().optional(),
  versions: z.string().optional(),
  reason: z.string(),
  ticket: z.string(),
  state: z.enum(['active', 'release-asked', 'released']),
  addedBy: z.string(),
  addedAt: moment,
  releaseAskedBy: z.string().optional(),
  releaseAskedAt: moment.optional(),
  releaseReason: z.string().optional(),
  releasedBy: z.string().optional(),
  releasedAt: moment.optional(),
  releaseConfirmed: z.string().optional(),
});
export type Quarantine = z.infer<typeof quarantine>;

const reach = z.object({
  /** Verdicts that were looked at again, images and indexes. */
  judged: z.number().int(),
  /** Blocked now and not before, and the other way round. */
  blocked: z.number().int(),
  released: z.number().int(),
});
const changed = quarantine.extend({
  verdicts: reach,
  /** Of one that was added: why it stops nothing of what is stored, and what would. */
  hint: z.string().optional(),
});
export type ChangedQuarantine = z.infer<typeof changed>;

const stored = z.object({ repository: z.string(), digest: z.string(), tags: z.array(z.string()) });
const withReach = quarantine.extend({
  /** What is stored and concerned, images and the indexes above them: the first of them, and how many there are. */
  images: z.array(stored),
  imageCount: z.number().int(),
  /** What runs of it, as audits saw it by digest. */
  running: z.array(runningContainer),
  runningCount: z.number().int(),
});
export type QuarantineWithReach = z.infer<typeof withReach>;

const one = z.object({ id: z.string().min(1).max(64) }).strict();

export const addQuarantine = endpoint(
  'addQuarantine',
  'POST /quarantines',
  'quarantine:manage',
  'Put a digest or versions of a package under quarantine: nothing of it is served, stored or admitted from now on',
  {
    body: z
      .object({
        target: z.string().max(512),
        versions: z.string().max(255).optional(),
        reason: z.string().max(2000),
        ticket: z.string().max(200),
      })
      .strict(),
    reply: changed,
    status: 201,
  },
);
export const listQuarantines = endpoint(
  'listQuarantines',
  'GET /quarantines',
  'quarantine:read',
  'What is under quarantine, newest first',
  {
    query: z
      .object({ released: z.enum(['true', 'false']).default('false').describe('true: also what is over') })
      .strict(),
    reply: listOf(quarantine),
  },
);
export const getQuarantine = endpoint(
  'getQuarantine',
  'GET /quarantines/{id}',
  'quarantine:manage',
  'A quarantine, with what is stored and what runs of it',
  { params: one, reply: withReach },
);
export const releaseQuarantine = endpoint(
  'releaseQuarantine',
  'POST /quarantines/{id}/release',
  'quarantine:manage',
  'Ask for the end of a quarantine; or, as another person, confirm what was asked for: then it is over',
  { params: one, body: reason, reply: changed },
);
export const keepQuarantine = endpoint(
  'keepQuarantine',
  'POST /quarantines/{id}/keep',
  'quarantine:manage',
  'Take back or turn down the question for a release',
  { params: one, body: reason, reply: quarantine },
);
