import { z } from 'zod';

/**
 * The lines of an evidence document, one schema for each section. Every time is RFC 3339 in UTC; only what the audit log has
 * hashed (`at` and `details` of a ledger line) stays as it was hashed.
 */
const time = z.string().regex(/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/, 'not a time in RFC 3339, UTC');
const text = z.string();
const count = z.int().min(0);
const kind = z.enum(['allow', 'warn', 'block']);
const json = z.record(z.string(), z.unknown());

const decisionSchema = z.strictObject({
  action: text,
  by: text,
  at: time,
  reason: text.optional(),
  /** Number of the line of the audit log that records it. */
  ledgerLine: count,
});

const reasonSchema = z.strictObject({
  rule: text,
  kind,
  severity: text,
  severitySource: text.optional(),
  vulnerability: text.optional(),
  package: text.optional(),
  installed: text.optional(),
  fixed: text.optional(),
  kev: z.boolean().optional(),
  epss: z.number().optional(),
  firstSeen: time.optional(),
  deadline: time.optional(),
  heldUntil: time.optional(),
  exception: z.strictObject({ id: text, until: time }).optional(),
  vex: z
    .strictObject({
      status: text,
      justification: text.optional(),
      author: text,
      document: text,
      unverified: z.literal(true).optional(),
    })
    .optional(),
  message: text,
  source: text,
});

/** Reasons of one list: how many there are, and the worst of them. */
const reasonsSchema = z.strictObject({ total: count, worst: z.array(reasonSchema) });

const countsSchema = z.strictObject({
  total: count,
  fixable: count,
  suppressed: count,
  bySeverity: z.record(z.string(), count),
});

const sourceSchema = z.strictObject({
  ecosystem: text,
  feed: text,
  completeness: z.enum(['complete', 'sample']),
  records: count,
  newest: text.optional(),
  note: text.optional(),
});

export const lineSchemas = {
  projects: z.strictObject({
    name: text,
    public: z.boolean(),
    createdBy: text,
    createdAt: time,
    upstream: z.strictObject({ url: text, username: text.optional(), freshnessSeconds: count }).optional(),
    members: z.array(z.strictObject({ user: text, role: text })),
  }),
  /** What counts at the time of export: the installation's own, then each project's. */
  policies: z.strictObject({ owner: text, version: count, origin: text, policy: json }),
  /** Every version made in the period; without `policy` the owner went back to the default above it. */
  policyVersions: z.strictObject({
    owner: text,
    version: count,
    author: text,
    reason: text,
    createdAt: time,
    policy: json.optional(),
  }),
  repositories: z.strictObject({
    name: text,
    createdAt: time,
    manifests: count,
    tags: z.array(z.strictObject({ name: text, digest: text, updatedAt: time })),
  }),
  manifests: z.strictObject({
    repository: text,
    digest: text,
    kind: text,
    mediaType: text,
    artifactType: text.optional(),
    size: count,
    tags: z.array(text),
    pushedBy: text,
    pushedAt: time,
    /** Absent until the first verdict, and for manifests that nothing is judged about. */
    verdict: z
      .strictObject({
        kind,
        judgedAt: time,
        changesAt: time.optional(),
        counts: countsSchema,
        worst: reasonSchema.optional(),
        reasons: count,
        advisories: text,
        policyVersion: count,
        inputs: json,
      })
      .optional(),
  }),
  verdictChanges: z.strictObject({
    at: time,
    repository: text,
    digest: text,
    previous: kind.optional(),
    kind,
    cause: text,
    counts: countsSchema,
    added: reasonsSchema,
    removed: reasonsSchema,
    inputs: json,
  }),
  /** The newest pass over each cluster. */
  clusters: z.strictObject({
    cluster: text,
    startedAt: time,
    finishedAt: time,
    objects: count,
    violations: count,
    incomplete: z.array(z.strictObject({ kind: text, reason: text })),
  }),
  runningImages: z.strictObject({
    cluster: text,
    namespace: text,
    kind: text,
    name: text,
    container: text,
    image: text,
    digest: text.optional(),
    /** False when the newest complete pass did not see it any more. */
    current: z.boolean(),
    trusted: z.boolean(),
    /** The entry of the trusted set that covers it. */
    trustedBy: text.optional(),
    /** Of the copy that is stored here. */
    verdict: z.strictObject({ kind, repository: text, digest: text, judgedAt: time }).optional(),
    firstSeen: time,
    lastSeen: time,
  }),
  violations: z.strictObject({
    cluster: text,
    constraint: text,
    action: text,
    group: text,
    version: text,
    kind: text,
    namespace: text,
    name: text,
    message: text,
  }),
  /** Of the database in use at the time of export. */
  advisorySources: sourceSchema,
  /** Databases imported in the period, and the one in use when it began. */
  advisoryVersions: z.strictObject({
    version: text,
    builtAt: time,
    importedAt: time,
    importedBy: text,
    sources: z.array(sourceSchema),
  }),
  /** Asked for, decided or in force at any time of the period. */
  exceptions: z.strictObject({
    id: text,
    /** Or `all projects`. */
    project: text,
    /** Absent in documents from before there were kinds. */
    kind: text.optional(),
    vulnerability: text.optional(),
    rule: text.optional(),
    package: text.optional(),
    packageType: text.optional(),
    version: text.optional(),
    versions: text.optional(),
    repository: text.optional(),
    digest: text.optional(),
    platform: text.optional(),
    justification: text.optional(),
    fixDays: count.optional(),
    owner: text.optional(),
    reason: text,
    ticket: text.optional(),
    state: text,
    /** At the time of export. */
    inForce: z.boolean(),
    requestedBy: text,
    requestedAt: time,
    /** Every account of those who asked for it or changed the request. */
    requesters: z.array(text).optional(),
    /** How it was worded when it was decided; files of earlier versions do not say it. */
    revision: z.number().int().min(1).optional(),
    renews: text.optional(),
    lifeFrom: time.optional(),
    batch: text.optional(),
    decidedBy: text.optional(),
    decidedAt: time.optional(),
    decisionReason: text.optional(),
    singleHanded: z.boolean(),
    validFrom: time.optional(),
    until: time,
    decisions: z.array(decisionSchema),
  }),
  trustedSources: z.strictObject({
    id: text,
    scope: text,
    entry: text,
    state: text,
    criteria: text,
    findings: text,
    owner: text,
    proposedBy: text,
    proposedAt: time,
    decidedBy: text.optional(),
    decidedAt: time.optional(),
    decisionReason: text.optional(),
    reviewDue: time,
    retiredAt: time.optional(),
    /** What was known here when it was proposed or reviewed last. */
    measured: text.optional(),
    /** What is doubtful about the entry itself. */
    problems: z.array(text),
    decisions: z.array(decisionSchema),
  }),
  users: z.strictObject({
    name: text,
    administrator: z.boolean(),
    disabled: z.boolean(),
    createdAt: time,
    roles: z.array(z.strictObject({ project: text, role: text })),
  }),
  /** The audit log of the period, as it was hashed, with the time for people beside it. */
  ledger: z.strictObject({
    seq: z.int().min(1),
    time,
    at: z.int(),
    actor: text,
    action: text,
    target: text,
    details: json,
    previousHash: text,
    hash: text,
  }),
} as const;

export type SectionName = keyof typeof lineSchemas;
export type Line<Name extends SectionName> = z.infer<(typeof lineSchemas)[Name]>;
export type Decision = z.infer<typeof decisionSchema>;
export type ReasonLine = z.infer<typeof reasonSchema>;

/** Sections in the order in which they are written and read. */
export const SECTION_NAMES = Object.keys(lineSchemas) as readonly SectionName[];
export { time as timeSchema };
