import { z } from 'zod';
import { PACKAGE_TYPES } from '../../model/inventory.ts';
import { SEVERITIES } from '../../model/severity.ts';
import { EXCEPTION_RULES } from '../../policy/exceptions.ts';
import { ORIGINS } from '../../policy/policy-layer.ts';
import { moment } from './common.ts';
import { endpoint } from './endpoint.ts';

const kind = z.enum(['allow', 'warn', 'block']);
const count = z.number().int();
const texts = z.array(z.string());

const line = z.object({
  rule: z.string(),
  kind,
  severity: z.enum(SEVERITIES),
  severitySource: z.string().optional(),
  vulnerability: z.string().optional(),
  package: z.string().optional(),
  installed: z.string().optional(),
  fixed: z.string().optional(),
  kev: z.boolean().optional(),
  firstSeen: moment.optional(),
  deadline: moment.optional(),
  message: z.string(),
});

const upgrade = z.object({
  kind: z.literal('upgrade'),
  package: z.string(),
  packageType: z.enum(PACKAGE_TYPES),
  module: z.string().optional(),
  installed: z.string(),
  to: z.string().describe('The lowest version named as fixed by which nothing blocks any more'),
  packages: texts.describe('What is built from it and comes along'),
  vulnerabilities: texts,
  places: z.array(z.object({ path: z.string(), layer: z.string().optional(), step: z.string().optional() })),
});
const base = z.object({
  kind: z.literal('base'),
  from: z.string(),
  fromDigest: z.string(),
  to: z.string(),
  toDigest: z.string(),
  layers: count.describe('Layers of this image that are those of the base'),
  vulnerabilities: texts.describe('What blocks now and does not on the other base'),
  judgedBy: z
    .enum(['layers', 'packages'])
    .describe(
      'With the layers of the image on the other base as they are, or with the packages they add beside those of it',
    ),
});
const exception = z.object({
  kind: z.literal('exception'),
  vulnerability: z.string().optional(),
  rule: z.enum(EXCEPTION_RULES).optional(),
  digest: z.string().optional(),
  package: z.string().optional(),
  repository: z.string().describe('Below the project'),
  until: z.iso.date().describe('The last day'),
  fixed: z.string().optional(),
});
const plan = z.object({
  parts: z.array(z.discriminatedUnion('kind', [upgrade, base, exception])),
  after: z.enum(['allow', 'warn']).describe('The verdict then'),
  requests: texts.describe('Commands that ask for the exceptions among them, filled in but for the reason'),
});

const setting = z.object({
  version: count,
  author: z.string(),
  reason: z.string(),
  at: moment,
});
const ruleField = z.object({
  field: z.string().describe('Of the policy, by path'),
  value: z.unknown(),
  origin: z.enum(ORIGINS),
  set: setting.optional().describe('The version of the policy that set it; absent where it is built in'),
});

/** Why an image is decided upon as it is, and what unblocks it. */
export const explainedImage = z.object({
  image: z.string(),
  repository: z.string(),
  digest: z.string(),
  kind,
  sentence: z.string().describe('The decision, the worst reason, its fix, the next date and whom to ask'),
  judgedAt: moment,
  changesAt: moment.optional(),
  contact: z.object({ text: z.string().optional(), link: z.string().optional() }).optional(),
  worst: z.array(line).describe('What the decision rests on, the worst first; at most ten'),
  counting: count.describe('How many reasons it rests on'),
  policy: z.object({ version: count, rules: z.array(ruleField) }),
  deadlines: z
    .array(
      z.object({
        at: moment,
        what: z.enum(['blocks', 'exception-ends']),
        vulnerability: z.string(),
        package: z.string(),
        exception: z.string().optional(),
      }),
    )
    .describe('Grace periods that end and exceptions that are over, the first first; at most fifty'),
  exceptions: z.array(
    z.object({
      id: z.string(),
      until: moment,
      vulnerabilities: texts,
      requestedBy: z.string().optional(),
      decidedBy: z.string().optional(),
      reason: z.string().optional(),
    }),
  ),
  vex: z.array(
    z.object({
      vulnerability: z.string(),
      package: z.string(),
      status: z.string(),
      justification: z.string().optional(),
      author: z.string(),
      document: z.string(),
      /** It takes the finding out of the verdict. */
      counts: z.boolean(),
    }),
  ),
  images: z.array(
    z.object({
      digest: z.string(),
      platform: z.string().optional(),
      plans: z.array(plan).describe('Each unblocks the image, the smallest change first'),
      obstacles: texts.describe('What no change of the image and no exception takes away'),
    }),
  ),
});
export type ExplainedImage = z.infer<typeof explainedImage>;

export const explainImage = endpoint(
  'explainImage',
  'GET /why',
  'verdict:read',
  'Why is an image decided upon as it is, who said so, and which smallest change unblocks it?',
  { query: z.object({ image: z.string().min(3).max(512) }).strict(), reply: explainedImage },
);
