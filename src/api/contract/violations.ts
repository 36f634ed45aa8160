import { z } from 'zod';
import { listOf, moment, name, page } from './common.ts';
import { endpoint } from './endpoint.ts';

/** One thing that an audit found and nobody mended, or that admission said, which may be about an object long gone. */
export const clusterFinding = z.object({
  from: z.enum(['audit', 'admission']),
  cluster: z.string(),
  constraintKind: z.string().optional(),
  constraint: z.string(),
  /** Of an audit what the constraint does; of admission what was done. */
  action: z.string(),
  group: z.string(),
  version: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  image: z.string().optional(),
  message: z.string(),
  firstSeen: moment,
  /** Admission: when it was said last. */
  lastSeen: moment.optional(),
  times: z.number().int().optional(),
  owner: z.object({ kind: z.string(), name: z.string() }).optional(),
  user: z.string().optional(),
  /** It was created while no guard answered. */
  admittedWhileAway: z.literal(true).optional(),
});

export const listClusterFindings = endpoint(
  'listClusterFindings',
  'GET /cluster/findings',
  'ledger:read',
  'Violations that stand, uncut, and what admission said in the last 30 days',
  {
    query: page.extend({
      cluster: name.optional(),
      namespace: name.optional(),
      constraint: name.optional(),
      kind: name.optional(),
      since: moment.optional(),
    }),
    reply: listOf(clusterFinding),
  },
);
