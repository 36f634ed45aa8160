import { z } from 'zod';
import { SORTS } from '../../findings/query.ts';
import { STATUSES } from '../../findings/status.ts';
import { SEVERITIES } from '../../model/severity.ts';
import { listOf, moment, name, page } from './common.ts';
import { endpoint } from './endpoint.ts';

const flag = z.enum(['true', 'false']);
const vulnerability = z.string().min(1).max(128);
const status = z.enum(STATUSES);
/** Several, separated by commas. */
const statuses = z
  .string()
  .max(64)
  .regex(new RegExp(`^(?:${STATUSES.join('|')})(?:,(?:${STATUSES.join('|')}))*$`), {
    error: `give one or more of ${STATUSES.join(', ')}, separated by commas`,
  });

const place = {
  project: name.optional(),
  /** Full name, `front/alpine`. */
  repository: name.optional(),
  /** A name, or how it begins and then `*`. */
  package: name.optional(),
};

const facts = {
  vulnerability: z.string(),
  package: z.string(),
  installed: z.string(),
  fixed: z.string().optional(),
  severity: z.enum(SEVERITIES),
};

/** A vulnerability of a version of a package in a repository, once for all its images. */
export const finding = z.object({
  ...facts,
  aliases: z.array(z.string()),
  vendorStatus: z.string().optional(),
  kev: z.boolean(),
  epss: z.number().optional(),
  repository: z.string(),
  firstSeen: moment,
  /** How many images of the repository hold it, and what becomes of it in how many of them. */
  images: z.number().int(),
  statuses: z.partialRecord(status, z.number().int()),
});

export const listFindings = endpoint(
  'listFindings',
  'GET /findings',
  'project:list',
  'What verdicts say of vulnerabilities, in the projects you may read',
  {
    query: page.extend({
      ...place,
      vulnerability: vulnerability.optional(),
      severity: z.enum(SEVERITIES).optional(),
      fixable: flag.optional(),
      kev: flag.optional(),
      status: statuses.optional(),
      sort: z.enum(SORTS).default('severity'),
    }),
    reply: listOf(finding).extend({
      /** Number of all that are wanted. */
      total: z.number().int(),
      /** False while verdicts of before an upgrade are still being listed. */
      complete: z.boolean(),
    }),
  },
);

export const listHoldingImages = endpoint(
  'listHoldingImages',
  'GET /findings/images',
  'project:list',
  'Images that hold a vulnerability, in the projects you may read',
  {
    query: page.extend({ ...place, vulnerability }),
    reply: listOf(
      z.object({ ...facts, repository: z.string(), digest: z.string(), tags: z.array(z.string()), status }),
    ),
  },
);
