import { z } from 'zod';
import { PRINTABLE } from '../platform/reason.ts';

/** A threshold: findings at or above it count. `off` = the rule does not exist. `none` = any finding at all. */
export const thresholdSchema = z
  .enum(['off', 'none', 'low', 'medium', 'high', 'critical'])
  .describe('Findings at or above this severity count; "none": any finding at all, "off": the rule does not exist');

/** What a rule without a severity does. */
export const actionSchema = z
  .enum(['ignore', 'warn', 'block'])
  .describe('What the rule asks for: nothing, a warning, or that the image is not served');

/** Whether findings of a sort count towards the thresholds. */
const countingSchema = z.enum(['count', 'ignore']);

const days = z.number().int().min(0).max(3650);
const someDays = z.number().int().min(1).max(3650);
const daysBySeverity = z.object({ low: days, medium: days, high: days, critical: days }).strict();
const thresholdsSchema = z.object({ fixable: thresholdSchema, unfixable: thresholdSchema }).strict();
const tagGlob = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_.*-]+$/, 'a glob of tags, like latest or *-snapshot');
/** One line of printable text: it ends up in messages and headers. */
const line = z.string().regex(PRINTABLE, 'one line of printable text');

const MOST_GLOBS = 50;
const MOST_NAMES = 50;

/** The whole policy that counts for a project, all fields present. Versioned by number beside it, never inside it. */
export const policySchema = z
  .object({
    block: thresholdsSchema.describe('From which severity on an image is not served'),
    warn: thresholdsSchema.describe('From which severity on an image is served with a warning'),
    graceDays: z
      .object({ fixable: daysBySeverity, unfixable: daysBySeverity })
      .strict()
      .describe('Days a finding only warns, counted from when it was first seen in the repository as what it is now'),
    counting: z
      .object({
        willNotFix: countingSchema,
        fixDeferred: countingSchema,
        underInvestigation: countingSchema,
        endOfLife: countingSchema,
        unimportant: countingSchema.describe('What the distribution itself calls unimportant or negligible'),
        kernelHeaders: countingSchema.describe('Headers of a kernel, of which nothing runs'),
      })
      .strict()
      .describe('What counts towards the thresholds at all'),
    severitySources: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(MOST_NAMES)
      .describe('Who decides about a severity, first to last; "cna" means any of its family'),
    unknownSeverity: z
      .enum(['none', 'low', 'medium', 'high', 'critical'])
      .describe('The level a severity that nobody knows counts as'),
    kev: z
      .object({
        action: actionSchema,
        graceDays: days.describe(
          'Days it only warns, counted from when it was first seen here as known to be exploited',
        ),
        overrules: z
          .object({ exceptions: z.boolean(), vex: z.boolean() })
          .strict()
          .describe('Whether exceptions and VEX statements take nothing away from what is known to be exploited'),
      })
      .strict()
      .describe('Vulnerabilities known to be exploited (CISA KEV)'),
    epss: z
      .object({
        threshold: z
          .number()
          .min(0)
          .max(1)
          .nullable()
          .describe('Probability at or above which it applies; null: never'),
        action: actionSchema,
        holdDays: days.describe('Days a score that fell below the threshold still counts'),
      })
      .strict()
      .describe('Probability of exploitation (EPSS)'),
    unscanned: z
      .enum(['ignore', 'warn', 'wait', 'block'])
      .describe('Without a verdict yet; "wait" holds a pull for up to 30 s and then refuses it'),
    unscannable: actionSchema.describe(
      'An image that cannot be read or recognised; "block" takes effect once the policy can block for anything else',
    ),
    endOfLife: actionSchema.describe('The distribution gets no more fixes'),
    advisorySample: actionSchema.describe('The verdict rests on a sample of advisories only, or on none'),
    advisoryAge: z
      .object({ days: someDays.nullable().describe('Null: any age is fine'), action: actionSchema })
      .strict()
      .describe('The advisory database is older than this many days'),
    disallowedTags: z
      .object({ globs: z.array(tagGlob).max(MOST_GLOBS), action: actionSchema })
      .strict()
      .describe('Tags by which an image may not be referred to'),
    digestRequired: actionSchema.describe('A reference without a digest'),
    exceptions: z
      .object({
        mostDays: z
          .object({ low: someDays, medium: someDays, high: someDays, critical: someDays })
          .strict()
          .describe('Longest that one exception may last'),
        mostLifeDays: someDays.describe('Longest that one may last with all its renewals'),
      })
      .strict(),
    vexAuthors: z
      .array(line.min(1).max(255))
      .max(MOST_NAMES)
      .describe('Authors of VEX statements, the one that counts most first; others come after'),
    contact: z
      .object({
        text: line.max(200).nullable().describe('Whom to ask, as messages say it'),
        link: z
          .url({ protocol: /^https?$/ })
          .max(500)
          .nullable()
          .describe('Where to read on or to ask'),
      })
      .strict(),
    strictIndex: z
      .boolean()
      .describe('An image for several platforms is blocked when any of them is, not only when all are'),
    gateBlobs: z.boolean().describe('Layers are refused too when every image of the repository that holds them is'),
  })
  .strict();
