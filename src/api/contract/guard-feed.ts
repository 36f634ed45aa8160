import { z } from 'zod';
import { ADMISSION_ACTIONS, type AdmissionFindingRow } from '../../cluster/admission-findings.ts';
import type { ClusterImage, ClusterViolation } from '../../cluster/audit-store.ts';
import type {
  FactsPage,
  ImageLine,
  LaterLine,
  QuarantineLine,
  ReferenceFacts,
  TagLine,
  TrustLine,
} from '../../facts/page.ts';
import { tryParseDigest } from '../../oci/digest.ts';
import { isRepositoryName } from '../../oci/reference.ts';
import type { ReferencePolicy } from '../../policy/judge-reference.ts';
import { actionSchema } from '../../policy/policy-schema.ts';
import { name } from './common.ts';
import { endpoint } from './endpoint.ts';

/** Longest answer to `waitSeconds`. */
export const LONGEST_WAIT_SECONDS = 25;
/** Most repositories outside the followed projects that a guard may name. */
export const MOST_RUNNING = 3000;
/** Most images a guard may ask about at once. */
export const MOST_ASKED = 500;

const repositoryName = z.string().max(255).refine(isRepositoryName, 'not the name of a repository');
const digest = z
  .string()
  .max(140)
  .refine((text) => tryParseDigest(text) !== undefined, 'not a digest');
const text = z.string().max(1024);
const epochMs = z.number().int().nonnegative();

const tagLine: z.ZodType<TagLine> = z.tuple([z.string().max(128), digest.nullable()]);
const kind = z.enum(['allow', 'warn', 'block', 'unjudged']);
const imageLine: z.ZodType<ImageLine> = z.union([
  z.tuple([digest, z.null()]),
  z.tuple([digest, kind]),
  z.tuple([digest, kind, epochMs, text]),
]);
/** More changes of one verdict are not told. */
const MOST_STEPS = 8;
const laterLine: z.ZodType<LaterLine> = z.tuple([
  digest,
  z.array(z.tuple([epochMs, z.enum(['allow', 'warn', 'block']), text])).max(MOST_STEPS),
]);
const trustLine: z.ZodType<TrustLine> = z.tuple([text, z.boolean()]);

/** As many as can be in force, of contents, and then some. */
const MOST_QUARANTINED = 10_000;
const quarantineLine: z.ZodType<QuarantineLine> = z.union([
  z.tuple([digest, z.null()]),
  z.tuple([digest, epochMs, text]),
]);

/** Wider than what a policy may say: it was checked when it was set. */
const referencePolicy: z.ZodType<ReferencePolicy> = z.object({
  disallowedTags: z.object({ globs: z.array(z.string().max(128)).max(1000), action: actionSchema }),
  digestRequired: actionSchema,
  contact: z.object({ text: text.nullable(), link: z.string().max(2048).nullable() }),
});
const referenceFacts: z.ZodType<ReferenceFacts> = z.object({
  projects: z.array(name).max(100_000),
  policies: z
    .object({
      policy: referencePolicy,
      coming: z
        .array(z.object({ from: epochMs, policy: referencePolicy }))
        .max(100)
        .optional(),
      since: epochMs.optional(),
    })
    .nullable(),
});

/** A page of facts, as it travels and as guards keep it. */
export const factsPage: z.ZodType<FactsPage> = z.object({
  reset: z.literal(true).optional(),
  complete: z.boolean(),
  cursor: z.string().min(1).max(2048),
  covers: z.union([z.literal('all'), z.array(name).max(100_000)]).optional(),
  hosts: z.array(text).max(20),
  trusted: z.array(trustLine).max(100_000),
  quarantined: z.array(quarantineLine).max(MOST_QUARANTINED).optional(),
  upstreams: z
    .array(z.object({ project: name, place: z.object({ registry: text, prefix: text }).nullable() }))
    .max(10_000),
  references: z.array(referenceFacts).max(100_000).optional(),
  repositories: z
    .array(
      z.object({
        name: repositoryName,
        gone: z.literal(true).optional(),
        tags: z.array(tagLine).max(100_000),
        images: z.array(imageLine).max(100_000),
        later: z.array(laterLine).max(100_000).optional(),
        quarantined: z.array(digest).max(100_000).optional(),
        artifacts: z.array(digest).max(100_000).optional(),
      }),
    )
    .max(100_000),
});

export const guardFacts = endpoint(
  'guardFacts',
  'POST /guard/facts',
  'guard:read',
  'What a guard has to know of images here: everything first, then each change as it happens',
  {
    body: z
      .object({
        /** As the last answer gave it; without one, or with one that is not known any more, everything is told anew. */
        cursor: z.string().max(2048).optional(),
        waitSeconds: z.number().int().min(0).max(LONGEST_WAIT_SECONDS).default(0),
        /** Projects to tell of; absent: all the caller may read. */
        projects: z.array(name).max(1000).optional(),
        /** Repositories of other projects that run in the cluster: changes of them are told too. */
        running: z.array(repositoryName).max(MOST_RUNNING).default([]),
        /** Images of those that have not been asked about before. */
        ask: z
          .array(
            z
              .object({ repository: repositoryName, tag: z.string().max(128).optional(), digest: digest.optional() })
              .strict(),
          )
          .max(MOST_ASKED)
          .default([]),
      })
      .strict(),
    reply: factsPage,
  },
);

const short = z.string().max(512);
const violation = z.object({
  constraintKind: short.optional(),
  constraint: short,
  action: short,
  group: short,
  version: short,
  kind: short,
  namespace: short,
  name: short,
  image: z.string().max(2048).optional(),
  message: z.string().max(16_384),
  admittedWhileAway: z.literal(true).optional(),
}) as unknown as z.ZodType<ClusterViolation>;
const image = z.object({
  namespace: short,
  kind: short,
  name: short,
  container: short,
  image: z.string().max(2048),
  digest: digest.optional(),
}) as unknown as z.ZodType<ClusterImage>;

/** The lines of an audit on its way, in this order: `audit`, any number of `violation` and `image`, `end` with how many there were. */
export const auditLine = z.union([
  z
    .object({
      audit: z.object({
        cluster: name,
        startedAt: epochMs,
        finishedAt: epochMs,
        objects: z.number().int().nonnegative(),
        incomplete: z.array(z.object({ kind: short, reason: z.string().max(4096) })).max(1000),
      }),
    })
    .strict(),
  z.object({ violation }).strict(),
  z.object({ image }).strict(),
  z.object({ end: z.object({ violations: z.number().int(), images: z.number().int() }) }).strict(),
]);
export type AuditLine = z.output<typeof auditLine>;

export const reportAudit = endpoint(
  'reportAudit',
  'POST /guard/audit',
  'guard:report',
  'What a guard found running in its cluster, as lines of JSON',
  { body: z.unknown(), sends: 'stream' },
);

/** Most findings of admission in one report. */
export const MOST_FINDINGS = 500;

const findingText = z.string().max(2000);
const admissionFinding: z.ZodType<AdmissionFindingRow> = z
  .object({
    constraintKind: findingText,
    constraint: findingText,
    action: z.enum(ADMISSION_ACTIONS),
    apiVersion: findingText,
    kind: findingText,
    namespace: findingText,
    name: findingText,
    ownerKind: findingText,
    ownerName: findingText,
    image: findingText,
    message: findingText,
    user: findingText,
    times: z.number().int().min(1).max(1_000_000_000),
    firstAt: epochMs,
    lastAt: epochMs,
  })
  .strict()
  .refine(({ firstAt, lastAt }) => firstAt <= lastAt, 'lastAt is before firstAt');

export const reportFindings = endpoint(
  'reportFindings',
  'POST /guard/findings',
  'guard:report',
  'What a guard said when objects were created or changed; the same finding counts up',
  { body: z.object({ cluster: name, findings: z.array(admissionFinding).min(1).max(MOST_FINDINGS) }).strict() },
);
