import { z } from 'zod';
import { SEVERITIES } from '../../model/severity.ts';
import { listOf, moment, reason } from './common.ts';
import { endpoint } from './endpoint.ts';

const analysis = {
  criteria: z.string().max(8000),
  findings: z.string().max(8000),
  owner: z.string().max(200),
  reviewDue: moment,
};
/** Without them what was measured is written down. */
const findings = analysis.findings.optional();

export const measured = z.object({
  at: moment,
  images: z.number().int(),
  repositories: z.number().int(),
  running: z.number().int(),
  signed: z.number().int(),
  newestAt: moment.optional(),
  findings: z.partialRecord(z.enum(SEVERITIES), z.number().int()),
  fixable: z.number().int(),
  daysToFix: z.object({ median: z.number(), fixes: z.number().int() }).optional(),
  /** All of it in words. */
  text: z.string(),
});
export type Measured = z.infer<typeof measured>;

export const trustedSource = z.object({
  id: z.string(),
  scope: z.string(),
  entry: z.string(),
  state: z.enum(['proposed', 'approved', 'review due', 'lapsed', 'retired']),
  ...analysis,
  proposedBy: z.string(),
  proposedAt: moment,
  decidedBy: z.string().optional(),
  decidedAt: moment.optional(),
  decisionReason: z.string().optional(),
  retiredAt: moment.optional(),
  /** What was known here when it was proposed or reviewed last. */
  measured: measured.optional(),
  /** What is doubtful about the entry. */
  problems: z.array(z.object({ kind: z.string(), message: z.string(), safer: z.string().optional() })),
});
export type TrustedSource = z.infer<typeof trustedSource>;

const one = z.object({ id: z.string().min(1).max(64) }).strict();

export const proposeSource = endpoint(
  'proposeSource',
  'POST /trusted-sources',
  'trust:propose',
  'Propose a trusted source with its risk analysis',
  {
    body: z.object({ entry: z.string().max(512), ...analysis, findings }).strict(),
    reply: trustedSource,
    status: 201,
  },
);
export const listSources = endpoint(
  'listSources',
  'GET /trusted-sources',
  'trust:read',
  'Trusted sources, retired ones too',
  { reply: listOf(trustedSource) },
);
export const measureSource = endpoint(
  'measureSource',
  'GET /trusted-sources/measure',
  'trust:propose',
  'What is known here of a source, whether it is trusted or not: images, findings, signatures, how soon fixes came',
  { query: z.object({ entry: z.string().max(512) }).strict(), reply: measured },
);
export const approveSource = endpoint(
  'approveSource',
  'POST /trusted-sources/{id}/approve',
  'trust:decide',
  'Trust a proposed source',
  {
    params: one,
    body: reason,
    reply: trustedSource,
  },
);
export const reviewSource = endpoint(
  'reviewSource',
  'POST /trusted-sources/{id}/review',
  'trust:decide',
  'Go on trusting a source until the next review',
  {
    params: one,
    body: reason.extend({ findings, reviewDue: moment }),
    reply: trustedSource,
  },
);
export const retireSource = endpoint(
  'retireSource',
  'POST /trusted-sources/{id}/retire',
  'trust:decide',
  'Trust a source no longer; refused while images that run or are stored would lose trust, unless they may',
  {
    params: one,
    body: reason.extend({ evenInUse: z.boolean().default(false) }),
    reply: trustedSource,
  },
);
