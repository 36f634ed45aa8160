import { z } from 'zod';
import { ROLES } from '../../auth/permissions.ts';
import { immutableTagsSchema } from '../../policy/immutable-tags.ts';
import { policySchema, thresholdSchema } from '../../policy/policy-schema.ts';
import { inProject, listOf, moment, name, page } from './common.ts';
import { endpoint } from './endpoint.ts';

const role = z.enum(ROLES);
const upstream = z.object({
  url: z.string().max(1024),
  username: z.string().max(4096).optional(),
  freshnessSeconds: z.number().int(),
});
const newUpstream = upstream
  .extend({ freshnessSeconds: z.number().int().min(0).optional(), password: z.string().max(4096).optional() })
  .strict();
/** Why a policy changes. */
const reason = z.string().trim().min(1).max(2000);
const shortForm = { block: thresholdSchema.optional(), warn: thresholdSchema.optional() };

/** What garbage collection does with manifests that no tag, index or subject keeps. */
const untagged = z.enum(['keep', 'delete']);

/** Bytes, any number of them, or as the installation has it. */
export const quota = z.union([z.number().int().min(0).max(Number.MAX_SAFE_INTEGER), z.enum(['unlimited', 'default'])]);

export const project = z.object({
  name: z.string(),
  public: z.boolean(),
  untagged,
  quota,
  /** Which tags stay where they were first pushed. */
  immutableTags: immutableTagsSchema,
  createdBy: z.string(),
  createdAt: moment,
  upstream: upstream.optional(),
  policy: z.object({ version: z.number().int(), block: policySchema.shape.block, warn: policySchema.shape.warn }),
});
export type Project = z.infer<typeof project>;

export const repository = z.object({
  name: z.string(),
  tags: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      updatedAt: moment,
      verdict: z.enum(['allow', 'warn', 'block']).optional(),
    }),
  ),
});

/** Everything stored, tagged or not: images, indexes, and what hangs on them. */
export const manifest = z.object({
  digest: z.string(),
  kind: z.string(),
  mediaType: z.string(),
  artifactType: z.string().optional(),
  size: z.number().int(),
  /** The manifest this one is about: of signatures, SBOMs and the like. */
  subject: z.string().optional(),
  tags: z.array(z.string()),
  createdBy: z.string(),
  createdAt: moment,
  verdict: z.enum(['allow', 'warn', 'block']).optional(),
});

export const createProject = endpoint('createProject', 'POST /projects', 'project:create', 'Create a project', {
  body: z.object({ name, public: z.boolean().default(false), upstream: newUpstream.optional(), ...shortForm }).strict(),
  reply: project,
  status: 201,
});
export const listProjects = endpoint('listProjects', 'GET /projects', 'project:list', 'Projects you may see', {
  reply: listOf(project),
});
export const getProject = endpoint('getProject', 'GET /projects/{project}', 'project:read', 'One project', {
  params: inProject,
  reply: project,
});
export const updateProject = endpoint(
  'updateProject',
  'PATCH /projects/{project}',
  'project:update',
  'Change a project',
  {
    params: inProject,
    body: z
      .object({
        public: z.boolean().optional(),
        untagged: untagged.optional(),
        upstream: newUpstream.optional(),
        reason: reason.default('set by command'),
        ...shortForm,
      })
      .strict(),
    reply: project,
  },
);
export const deleteProject = endpoint(
  'deleteProject',
  'DELETE /projects/{project}',
  'project:delete',
  'Delete a project',
  {
    params: inProject,
    query: z.object({ force: z.enum(['true', 'false']).optional() }).strict(),
  },
);

export const listMembers = endpoint(
  'listMembers',
  'GET /projects/{project}/members',
  'member:read',
  'Members and roles',
  {
    params: inProject,
    reply: listOf(z.object({ user: z.string(), role })),
  },
);
const memberOf = z.object({ project: name, user: name }).strict();
export const setMember = endpoint(
  'setMember',
  'PUT /projects/{project}/members/{user}',
  'member:manage',
  'Give a user a role',
  {
    params: memberOf,
    body: z.object({ role }).strict(),
  },
);
export const removeMember = endpoint(
  'removeMember',
  'DELETE /projects/{project}/members/{user}',
  'member:manage',
  'Take a role away',
  {
    params: memberOf,
  },
);

export const listRepositories = endpoint(
  'listRepositories',
  'GET /projects/{project}/repositories',
  'verdict:read',
  'Repositories with tags and verdicts',
  {
    params: inProject,
    query: page,
    reply: listOf(repository),
  },
);
export const listManifests = endpoint(
  'listManifests',
  'GET /projects/{project}/manifests',
  'verdict:read',
  'Manifests of one repository with tags and verdicts, by digest',
  {
    params: inProject,
    /** The full name of the repository, `front/alpine`. */
    query: page.extend({ repository: name }),
    reply: listOf(manifest),
  },
);
