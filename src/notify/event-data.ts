import { z } from 'zod';
import { SEVERITIES } from '../model/severity.ts';

/** What each kind of event says. The schemas in docs/schemas/events are made from these. */

const moment = z.iso.datetime();
const severity = z.enum(SEVERITIES);
const kind = z.enum(['allow', 'warn', 'block']);

const finding = z.object({
  vulnerability: z.string().optional(),
  package: z.string().optional(),
  installed: z.string().optional(),
  fixed: z.string().optional(),
  severity,
  rule: z.string(),
  /** What this line alone asks for. */
  verdict: kind,
});
export type FindingData = z.infer<typeof finding>;

const verdictChange = z.object({
  repository: z.string(),
  digest: z.string(),
  /** Null for a first verdict. */
  previous: kind.nullable(),
  verdict: kind,
  /** The worst reason in one sentence. */
  sentence: z.string(),
  severity,
  counts: z.object({ total: z.int(), fixable: z.int(), suppressed: z.int(), bySeverity: z.record(severity, z.int()) }),
  /** The worst of the new and of the gone reasons; how many there are beside them. */
  added: z.array(finding),
  addedCount: z.int(),
  removed: z.array(finding),
  removedCount: z.int(),
  /** When time alone changes it again. */
  changesAt: moment.optional(),
});

const graceEnding = z.object({
  repository: z.string(),
  digest: z.string(),
  /** From then on it is blocked. */
  deadline: moment,
  severity,
  findings: z.array(finding),
  findingCount: z.int(),
});

/** Many as one: the first of `total`; the others are behind `more`, a call of the management API. */
const partial = { total: z.int(), more: z.string().optional() };

const exception = z.object({
  id: z.string(),
  project: z.string(),
  /** What it is for: a vulnerability, or a rule. */
  vulnerability: z.string().optional(),
  rule: z.string().optional(),
  package: z.string().optional(),
  version: z.string().optional(),
  repository: z.string().optional(),
  digest: z.string().optional(),
  reason: z.string(),
  ticket: z.string().optional(),
  requestedBy: z.string(),
  until: moment,
});

const constraint = z.object({ kind: z.string(), name: z.string() });
const object = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() });

export const EVENT_DATA = {
  PUSH: z.object({
    repository: z.string(),
    digest: z.string(),
    tags: z.array(z.string()),
    kind: z.string(),
    /** The manifest was not stored here before. */
    new: z.boolean(),
    by: z.string(),
  }),
  DELETE: z.object({
    repository: z.string(),
    digest: z.string(),
    /** Those that went: with a manifest, or alone. */
    tags: z.array(z.string()),
    /** A tag that went alone leaves the manifest. */
    deleted: z.enum(['manifest', 'tag']),
    by: z.string(),
  }),
  PULL_BLOCKED: z.object({
    repository: z.string(),
    digest: z.string(),
    /** Tag or digest it was asked for by. */
    reference: z.string().optional(),
    by: z.string(),
    /** What the client was told. */
    message: z.string(),
  }),
  ADMISSION_DENIED: z.object({
    cluster: z.string(),
    constraint,
    object,
    image: z.string(),
    message: z.string(),
    by: z.string(),
    times: z.int(),
  }),
  VERDICT_CHANGED: z.object({
    cause: z.string(),
    /** Version of the advisory database. */
    advisories: z.string(),
    ...partial,
    /** Blocked now and not before, and the other way round. */
    blocked: z.int(),
    released: z.int(),
    changes: z.array(verdictChange),
  }),
  GRACE_ENDING: z.object({ ...partial, images: z.array(graceEnding) }),
  EXCEPTION_REQUESTED: exception.extend({
    /** Where several were asked for together, this is the first of them; these are how many, the first few, and how to get all. */
    batch: z.string().optional(),
    total: z.int().optional(),
    requests: z.array(exception).optional(),
    more: z.string().optional(),
  }),
  EXCEPTION_DECIDED: exception.extend({
    decision: z.enum(['granted', 'denied', 'revoked', 'renewed']),
    decidedBy: z.string(),
    decisionReason: z.string(),
    singleHanded: z.boolean(),
    /** Where several were decided together, this is the first of them; these are how many, the first few, and how to get all. */
    total: z.int().optional(),
    exceptions: z.array(exception).optional(),
    more: z.string().optional(),
  }),
  EXCEPTION_EXPIRING: exception,
  EXCEPTION_EXPIRED: exception,
  ADVISORIES_STALE: z.object({ version: z.string(), builtAt: moment, ageDays: z.int() }),
  TRUST_REVIEW_DUE: z.object({
    id: z.string(),
    entry: z.string(),
    owner: z.string(),
    reviewDue: moment,
    overdue: z.boolean(),
  }),
  POLICY_CHANGED: z.object({
    /** `installation`, or the name of a project. */
    owner: z.string(),
    version: z.int(),
    previous: z.int().nullable(),
    /** False where it went back to what it inherits. */
    own: z.boolean(),
    by: z.string(),
    reason: z.string(),
    effectiveFrom: moment.optional(),
  }),
  QUARANTINED: z.object({
    id: z.string(),
    /** A digest, or a package URL with its versions. */
    target: z.string(),
    state: z.enum(['added', 'release-requested', 'released']),
    by: z.string(),
    reason: z.string(),
    ticket: z.string().optional(),
  }),
} as const;

export type EventType = keyof typeof EVENT_DATA;
export type ExceptionData = z.infer<typeof exception>;
export type VerdictChangeData = z.infer<typeof verdictChange>;
export type EventData = { readonly [Type in EventType]: z.infer<(typeof EVENT_DATA)[Type]> };

export const EVENT_TYPES = Object.keys(EVENT_DATA) as EventType[];
