import { z } from 'zod';
import { thresholdSchema } from '../../policy/policy-schema.ts';
import { inProject, moment, runningContainer } from './common.ts';
import { endpoint } from './endpoint.ts';
import { requestException } from './exceptions.ts';

const kind = z.enum(['allow', 'warn', 'block']);
const MOST = 100;

/** What is to be as if it were so. */
export const simulationQuestion = z
  .object({
    /** A policy document of any fields; else the newest one, with `block`, `warn` and `set` put over it. */
    policy: z.record(z.string(), z.unknown()).optional(),
    block: thresholdSchema.optional(),
    warn: thresholdSchema.optional(),
    /** Fields of the policy by path, like `graceDays.fixable.high`. */
    set: z.record(z.string().max(100), z.unknown()).optional(),
    exceptions: z
      .array(requestException.body.partial({ reason: true }))
      .max(MOST)
      .optional(),
    /** Ids of granted exceptions. */
    revoke: z.array(z.string().max(64)).max(MOST).optional(),
    /** Trusted entries. */
    retire: z.array(z.string().max(512)).max(MOST).optional(),
    at: moment.optional(),
    until: moment.optional(),
  })
  .strict();
export type SimulationQuestion = z.input<typeof simulationQuestion>;

const count = z.number().int();
const sum = z.object({ name: z.string(), blocked: count, allowed: count });

export const simulation = z.object({
  /** When the verdicts hold, and when this was computed. */
  at: moment,
  computedAt: moment,
  advisories: z.object({ before: z.string(), after: z.string() }),
  images: z.object({
    judged: count,
    blockedBefore: count,
    blockedAfter: count,
    blocked: count,
    allowed: count,
    warned: count,
    unwarned: count,
  }),
  running: z.object({ containers: count, failing: count, newlyFailing: count, recovering: count }),
  byRule: z.array(sum),
  byRepository: z.array(sum),
  byNamespace: z.array(sum),
  changes: z.array(
    z.object({
      repository: z.string(),
      digest: z.string(),
      tag: z.string().optional(),
      before: kind,
      after: kind,
      rules: z.array(z.string()),
      why: z.string(),
    }),
  ),
  fails: z.array(
    runningContainer.extend({
      digest: z.string().optional(),
      fails: z.enum(['pull', 'admission']),
      already: z.boolean(),
      rules: z.array(z.string()),
      why: z.string(),
    }),
  ),
  calendar: z
    .array(
      z.object({
        at: moment,
        event: z.enum([
          'grace-ends',
          'exception-ends',
          'exception-begins',
          'end-of-life',
          'advisory-age',
          'policy-begins',
          'trust-review-due',
          'other',
        ]),
        subject: z.string(),
        images: count,
        blocked: count,
        allowed: count,
        running: count,
        repositories: z.array(z.string()),
      }),
    )
    .optional(),
  /** Lists that hold the first of more than they name. */
  cut: z.array(z.enum(['changes', 'fails', 'calendar'])),
});
export type Simulation = z.infer<typeof simulation>;

export const simulateProject = endpoint(
  'simulateProject',
  'POST /projects/{project}/simulations',
  'simulation:run',
  'What a change would do to the images of a project and to what runs of them; changes nothing',
  { params: inProject, body: simulationQuestion, reply: simulation },
);
export const simulateAll = endpoint(
  'simulateAll',
  'POST /simulations',
  'simulation:run',
  'What a change would do to everything stored and everything running; changes nothing',
  { body: simulationQuestion, reply: simulation },
);
export const simulateAdvisories = endpoint(
  'simulateAdvisories',
  'POST /simulations/advisories',
  'simulation:run',
  'What the advisory database in the body would do, with a question of the other calls as JSON beside it; changes nothing',
  { query: z.object({ question: z.string().max(12_000).default('{}') }).strict(), sends: 'stream', reply: simulation },
);
