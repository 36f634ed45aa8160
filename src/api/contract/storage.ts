import { z } from 'zod';
import { immutableTagsSchema } from '../../policy/immutable-tags.ts';
import { retentionRulesSchema } from '../../policy/retention.ts';
import { inProject, listOf, moment } from './common.ts';
import { endpoint } from './endpoint.ts';
import { quota } from './projects.ts';

const count = z.number().int();
const content = { bytes: count, blobs: count, manifests: count };

/** What is in several repositories counts once. */
const usage = z.object({
  project: z.string(),
  ...content,
  /** Bytes; null: any number. */
  quota: count.nullable(),
  /** Of the quota, 1 = full; above 1 after a quota was made smaller, and for what was under way. */
  share: z.number().optional(),
});

export const listUsage = endpoint('listUsage', 'GET /usage', 'project:list', 'What the projects you may see hold', {
  reply: listOf(usage),
});
export const getUsage = endpoint(
  'getUsage',
  'GET /projects/{project}/usage',
  'usage:read',
  'What a project and its repositories hold',
  {
    params: inProject,
    /** The largest thousand. What repositories share counts in each of them. */
    reply: usage.extend({ repositories: z.array(z.object({ name: z.string(), ...content })) }),
  },
);
export const setQuota = endpoint(
  'setQuota',
  'PUT /projects/{project}/quota',
  'quota:set',
  'Say how much a project may hold',
  {
    params: inProject,
    body: z.object({ quota }).strict(),
    reply: usage,
  },
);

export const setImmutableTags = endpoint(
  'setImmutableTags',
  'PUT /projects/{project}/immutable-tags',
  'immutable-tags:manage',
  'Say which tags stay where they were first pushed',
  {
    params: inProject,
    body: z.object({ rules: immutableTagsSchema }).strict(),
    reply: z.object({ rules: immutableTagsSchema }),
  },
);

export const getRetention = endpoint(
  'getRetention',
  'GET /projects/{project}/retention',
  'retention:read',
  'Which tags a project keeps',
  {
    params: inProject,
    reply: z.object({
      rules: retentionRulesSchema,
      changedBy: z.string().optional(),
      changedAt: moment.optional(),
    }),
  },
);
export const setRetention = endpoint(
  'setRetention',
  'PUT /projects/{project}/retention',
  'retention:manage',
  'Replace the rules by which a project keeps tags; none: it keeps all',
  {
    params: inProject,
    body: z.object({ rules: retentionRulesSchema }).strict(),
    reply: z.object({ rules: retentionRulesSchema }),
  },
);

const outcome = z.object({
  at: moment,
  examined: count,
  removed: count,
  /** Those that go, then those that stay; ten thousand of each at most. */
  tags: z.array(
    z.object({
      kind: z.enum(['keep', 'remove']),
      repository: z.string(),
      tag: z.string(),
      digest: z.string(),
      pushedAt: moment,
      /** Pulled last, or pushed since. */
      usedAt: moment,
      /** The rule that keeps it, or why each of them does not. */
      because: z.string(),
    }),
  ),
});
export const previewRetention = endpoint(
  'previewRetention',
  'GET /projects/{project}/retention/preview',
  'retention:read',
  'What a run would do now; changes nothing',
  { params: inProject, reply: outcome },
);
export const runRetention = endpoint(
  'runRetention',
  'POST /projects/{project}/retention/runs',
  'retention:run',
  'Take away the tags that no rule keeps',
  { params: inProject, reply: outcome },
);
export const retentionHistory = endpoint(
  'retentionHistory',
  'GET /projects/{project}/retention/runs',
  'retention:read',
  'The newest hundred runs',
  {
    params: inProject,
    reply: listOf(
      z.object({ at: moment, actor: z.string(), rules: z.array(z.string()), examined: count, removed: count }),
    ),
  },
);
