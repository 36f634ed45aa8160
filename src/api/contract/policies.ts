import { z } from 'zod';
import { ORIGINS } from '../../policy/policy-layer.ts';
import { policySchema } from '../../policy/policy-schema.ts';
import { inProject, listOf, moment, name } from './common.ts';
import { endpoint, nothing } from './endpoint.ts';

/** What an owner says of its own: any fields of the published schema. Checked as a whole, to name what was probably meant. */
const layer = z.record(z.string(), z.unknown());
const fields = z.array(z.string().max(100)).max(100);
const why = {
  reason: z.string().trim().min(1).max(2000),
  /** Until then it only warns; absent: at once. */
  effectiveFrom: moment.optional(),
};

const effectivePolicy = z.object({
  version: z.number().int(),
  policy: policySchema,
  origin: z.string(),
  /** Where each field comes from, by path. */
  origins: z.record(z.string(), z.enum(ORIGINS)),
  /** What the project (or the installation) itself says. */
  own: layer,
  /** Policies that are to count later. */
  coming: z.array(z.object({ from: moment, policy: policySchema })),
});

export const policyVersion = z.object({
  version: z.number().int(),
  author: z.string(),
  reason: z.string(),
  createdAt: moment,
  effectiveFrom: moment.optional(),
  state: z.enum(['in force', 'coming', 'replaced', 'past']),
  document: layer,
  changes: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
});
export type PolicyVersionView = z.infer<typeof policyVersion>;

const edit = { set: layer.optional(), unset: fields.optional() };
const locks = { lock: fields.optional(), unlock: fields.optional() };
/** Number of a version. */
const version = z.string().min(1).max(20);
const ofProject = { params: inProject, reply: effectivePolicy };
const ofInstallation = { reply: effectivePolicy };
const whole = z.object({ policy: layer, ...why }).strict();
const again = z.object(why).strict();

export const getPolicy = endpoint(
  'getPolicy',
  'GET /projects/{project}/policy',
  'policy:read',
  'The policy in force, and where each field comes from',
  ofProject,
);
export const setPolicy = endpoint(
  'setPolicy',
  'PUT /projects/{project}/policy',
  'policy:update',
  'Set what the project says of its policy; the rest is inherited',
  { ...ofProject, body: whole },
);
export const editPolicy = endpoint(
  'editPolicy',
  'PATCH /projects/{project}/policy',
  'policy:update',
  'Change single fields of the policy',
  { ...ofProject, body: z.object({ ...edit, ...why }).strict() },
);
export const listPolicies = endpoint(
  'listPolicies',
  'GET /projects/{project}/policies',
  'policy:read',
  'Every version of the policy, and what it changed',
  { params: inProject, reply: listOf(policyVersion) },
);
export const rollBackPolicy = endpoint(
  'rollBackPolicy',
  'POST /projects/{project}/policies/{version}/restore',
  'policy:update',
  'Put an older version in place again, as a new one',
  { params: z.object({ project: name, version }).strict(), body: again, reply: effectivePolicy },
);

export const getInstallationPolicy = endpoint(
  'getInstallationPolicy',
  'GET /policy',
  'installation:read',
  'The policy that counts where a project says nothing',
  ofInstallation,
);
export const setInstallationPolicy = endpoint(
  'setInstallationPolicy',
  'PUT /policy',
  'installation:update',
  'Set what the installation says of its policy',
  { ...ofInstallation, body: whole },
);
export const editInstallationPolicy = endpoint(
  'editInstallationPolicy',
  'PATCH /policy',
  'installation:update',
  'Change and lock single fields of the policy of the installation',
  { ...ofInstallation, body: z.object({ ...edit, ...locks, ...why }).strict() },
);
export const listInstallationPolicies = endpoint(
  'listInstallationPolicies',
  'GET /policies',
  'installation:read',
  'Every version of the policy of the installation',
  { reply: listOf(policyVersion) },
);
export const rollBackInstallationPolicy = endpoint(
  'rollBackInstallationPolicy',
  'POST /policies/{version}/restore',
  'installation:update',
  'Put an older version of the policy of the installation in place again',
  { params: z.object({ version }).strict(), body: again, reply: effectivePolicy },
);
export const getPolicySchema = endpoint(
  'getPolicySchema',
  'GET /policies/schema',
  'installation:read',
  'JSON schema of policy documents',
  { params: nothing, reply: z.record(z.string(), z.unknown()) },
);
