import { z } from 'zod';
import type { Coverage } from '../../model/coverage.ts';
import type { Finding } from '../../model/finding.ts';
import type { Reason, Verdict } from '../../model/verdict.ts';
import { SBOM_FORMS } from '../../scanner/sbom-write/input.ts';
import { listOf, moment } from './common.ts';
import { endpoint } from './endpoint.ts';

const kind = z.enum(['allow', 'warn', 'block']);
/** `front/alpine:3.20` or `front/alpine@sha256:…`, without the host. */
const image = z.string().min(3).max(512);

/** The verdict as everybody sees it, with what it rests on. The inner values have the shape of `src/model`. */
export const judgedImage = z.object({
  image: z.string(),
  repository: z.string(),
  digest: z.string(),
  kind,
  /** One sentence. */
  summary: z.string(),
  judgedAt: moment,
  /** When time alone changes it. */
  changesAt: moment.optional(),
  verdict: z.custom<Verdict>(),
  findings: z.array(z.custom<Finding>()),
  coverage: z.custom<Coverage>().optional(),
});
export type JudgedImage = z.infer<typeof judgedImage>;

const begunEnded = z.object({ begun: z.array(z.string()), ended: z.array(z.string()) });
const fromTo = z.object({ from: z.string(), to: z.string() });
const causeDetail = z.object({
  policy: z.object({ from: z.number().int(), to: z.number().int() }).optional(),
  policySet: z.object({ by: z.string(), reason: z.string() }).optional(),
  advisories: fromTo.optional(),
  inventory: fromTo.optional(),
  /** `replaced`: named in the place of one that counts still. */
  exceptions: begunEnded.extend({ replaced: z.array(fromTo).optional() }).optional(),
  vex: begunEnded.optional(),
  moments: z.array(moment).optional(),
});

export const verdictChange = z.object({
  id: z.string(),
  at: moment,
  repository: z.string(),
  digest: z.string(),
  previous: kind.optional(),
  kind,
  cause: z.string(),
  /** What exactly changed: versions, ids, moments. Absent for the first verdict. */
  causeDetail: causeDetail.optional(),
  added: z.array(z.custom<Reason>()),
  removed: z.array(z.custom<Reason>()),
});
export type VerdictChange = z.infer<typeof verdictChange>;

export const getVerdict = endpoint('getVerdict', 'GET /verdicts', 'verdict:read', 'May this image run, and why not?', {
  query: z.object({ image }).strict(),
  reply: judgedImage,
});
export const rescan = endpoint(
  'rescan',
  'POST /rescans',
  'analysis:repeat',
  'Analyse an image again, or all that could not be analysed, and judge it again',
  {
    body: z.union([z.object({ image }).strict(), z.object({ failed: z.literal(true) }).strict()]),
    /** Images that wait to be analysed now; those in an index, and in every repository, count each. */
    reply: z.object({ images: z.number().int() }),
  },
);
export const getSbom = endpoint(
  'getSbom',
  'GET /sboms',
  'verdict:read',
  'What is in this image: its bill of materials',
  {
    query: z.object({ image, form: z.enum(SBOM_FORMS).default('cyclonedx') }).strict(),
    /** A document of SPDX 2.3 or CycloneDX 1.6. */
    reply: z.record(z.string(), z.unknown()),
  },
);
export const verdictHistory = endpoint(
  'verdictHistory',
  'GET /verdicts/history',
  'verdict:read',
  'How the verdict changed, newest first',
  {
    query: z
      .object({
        image,
        limit: z.coerce.number().int().min(1).max(1000).default(100),
        after: z.string().max(20).optional(),
      })
      .strict(),
    reply: listOf(verdictChange),
  },
);
