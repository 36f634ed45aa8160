import { z } from 'zod';

/** A threshold: findings at or above it count. `off` = the rule does not exist. `none` = any finding at all. */
export const thresholdSchema = z.enum(['off', 'none', 'low', 'medium', 'high', 'critical']);

/** What a rule without a severity does. */
export const actionSchema = z.enum(['ignore', 'warn', 'block']);

const thresholdsSchema = z.object({ fixable: thresholdSchema, unfixable: thresholdSchema }).strict();
const days = z.number().int().min(0).max(3650);

/** The policy document of a project, all fields present. Versioned by number beside it, never inside it. */
export const policySchema = z
  .object({
    block: thresholdsSchema,
    warn: thresholdsSchema,
    /** Days a new finding only warns, by severity, counted from when it was first seen here. */
    graceDays: z.object({ low: days, medium: days, high: days, critical: days }).strict(),
    /** Listed in CISA's known exploited vulnerabilities. */
    kev: actionSchema,
    /** Probability of exploitation at or above which `epssAction` applies; null = never. */
    epss: z.number().min(0).max(1).nullable(),
    epssAction: actionSchema,
    /** Order in which severity sources decide; a prefix matches families (`cna:` any CNA). Others come after, worst first. */
    severitySources: z.array(z.string().min(1)).min(1),
    /** The level an unknown severity counts as. */
    unknownSeverity: z.enum(['none', 'low', 'medium', 'high', 'critical']),
    /** No verdict yet: `wait` holds a pull for up to 30 s, then refuses with Retry-After. */
    unscanned: z.enum(['wait', 'warn', 'block', 'ignore']),
    /** A runnable image that cannot be inventoried. `block` takes effect once the policy can block for anything else. */
    unscannable: actionSchema,
    endOfLife: actionSchema,
    /** Verdict rests on a sample of advisories only. */
    advisorySample: actionSchema,
    /** Advisory database older than this many days; null = any age is fine. */
    advisoryAgeDays: z.number().int().min(1).nullable(),
    advisoryAge: actionSchema,
    /** Vendor statuses that do not count towards thresholds. */
    ignoreStatuses: z.array(z.enum(['will_not_fix', 'fix_deferred', 'under_investigation', 'end_of_life'])),
    /** A multi-platform index is blocked when any runnable child is (strict) or only when all are. */
    strictIndex: z.boolean(),
    gateBlobs: z.boolean(),
  })
  .strict();
