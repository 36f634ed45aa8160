import { z } from 'zod';
import { MOST_AT_ONCE } from '../../exceptions/exception.ts';
import { PACKAGE_TYPES } from '../../model/inventory.ts';
import { EXCEPTION_KINDS, EXCEPTION_RULES, JUSTIFICATIONS } from '../../policy/exceptions.ts';
import { inProject, listOf, moment, oneInProject, page, reason } from './common.ts';
import { endpoint } from './endpoint.ts';

const narrowing = {
  package: z.string().max(255).optional(),
  packageType: z.enum(PACKAGE_TYPES).optional(),
  versions: z.string().max(255).optional(),
  repository: z.string().max(255).optional(),
  digest: z.string().max(140).optional(),
  platform: z.string().max(64).optional(),
};
const fixDays = z.number().int().min(0).max(365).optional();
const text = z.string().max(4000);
const ticket = z.string().max(500).optional();

const asked = {
  kind: z.enum(EXCEPTION_KINDS).optional(),
  vulnerability: z.string().max(128).optional(),
  rule: z.enum(EXCEPTION_RULES).optional(),
  ...narrowing,
  version: z.string().max(255).optional(),
  justification: z.enum(JUSTIFICATIONS).optional(),
  fixDays,
  owner: z.string().max(255).optional(),
  reason: text,
  ticket,
  until: moment,
};

export const riskException = z.object({
  ...asked,
  kind: z.enum(EXCEPTION_KINDS),
  id: z.string(),
  /** It is about all projects. */
  everywhere: z.literal(true).optional(),
  state: z.enum(['requested', 'granted', 'denied', 'revoked']),
  expired: z.boolean(),
  requestedBy: z.string(),
  requestedAt: moment,
  /** Accounts of every person who asked for it or changed the request: none of them may grant it. */
  requesters: z.array(z.string()),
  /** 1 as it was asked for first; every change raises it. A decision names the one that was read. */
  revision: z.number().int(),
  /** The exception it continues, and since when it and those before it count. */
  renews: z.string().optional(),
  lifeFrom: moment.optional(),
  /** What was asked for together. */
  batch: z.string().optional(),
  decidedBy: z.string().optional(),
  decidedAt: moment.optional(),
  decisionReason: z.string().optional(),
  singleHanded: z.boolean(),
  validFrom: moment.optional(),
});
export type RiskException = z.infer<typeof riskException>;

const wanted = z.object(asked).strict();
export type WantedException = z.infer<typeof wanted>;
const several = z.object({ exceptions: z.array(wanted).min(1).max(MOST_AT_ONCE) }).strict();
const changes = wanted.partial();
const revision = z.number().int().min(1);
const deny = reason.extend({ revision: revision.optional() });
const grant = deny.extend({ until: moment.optional(), fixDays, narrower: z.object(narrowing).strict().optional() });
const decision = reason.extend({
  decision: z.enum(['grant', 'deny']),
  ids: z.array(z.string().min(1).max(64)).min(1).max(MOST_AT_ONCE),
  until: moment.optional(),
  /** By id, the revision that was read; needed for those that were changed. */
  revisions: z.record(z.string().min(1).max(64), revision).optional(),
});
const renewal = z.object({ reason: text, until: moment, ticket }).strict();
const list = page.extend({
  state: z.enum(['requested', 'granted', 'denied', 'revoked']).optional(),
  batch: z.string().max(64).optional(),
});
const one = z.object({ id: z.string().min(1).max(64) }).strict();
const exceptions = listOf(riskException);

export const requestException = endpoint(
  'requestException',
  'POST /projects/{project}/exceptions',
  'exception:request',
  'Ask for an exception',
  { params: inProject, body: wanted, reply: riskException, status: 201 },
);
export const requestExceptions = endpoint(
  'requestExceptions',
  'POST /projects/{project}/exceptions/several',
  'exception:request',
  'Ask for several exceptions together: all of them, or none when one cannot be',
  { params: inProject, body: several, reply: exceptions, status: 201 },
);
export const listExceptions = endpoint(
  'listExceptions',
  'GET /projects/{project}/exceptions',
  'exception:read',
  'Exceptions of a project, newest first',
  { params: inProject, query: list, reply: exceptions },
);
export const getException = endpoint(
  'getException',
  'GET /projects/{project}/exceptions/{id}',
  'exception:read',
  'One exception',
  { params: oneInProject, reply: riskException },
);
export const editException = endpoint(
  'editException',
  'PATCH /projects/{project}/exceptions/{id}',
  'exception:request',
  'Change a request that is not decided; whoever does counts as one who asked',
  { params: oneInProject, body: changes, reply: riskException },
);
export const renewException = endpoint(
  'renewException',
  'POST /projects/{project}/exceptions/{id}/renew',
  'exception:request',
  'Ask for the same again, to a later end; the one it continues holds to its own',
  { params: oneInProject, body: renewal, reply: riskException, status: 201 },
);
export const grantException = endpoint(
  'grantException',
  'POST /projects/{project}/exceptions/{id}/grant',
  'exception:decide',
  'Grant a request as it was read; may be narrower and end earlier than asked',
  { params: oneInProject, body: grant, reply: riskException },
);
export const denyException = endpoint(
  'denyException',
  'POST /projects/{project}/exceptions/{id}/deny',
  'exception:decide',
  'Deny a request',
  { params: oneInProject, body: deny, reply: riskException },
);
export const decideExceptions = endpoint(
  'decideExceptions',
  'POST /projects/{project}/exceptions/decisions',
  'exception:decide',
  'Decide several requests together: all of them, or none when one cannot be',
  { params: inProject, body: decision, reply: exceptions },
);
export const revokeException = endpoint(
  'revokeException',
  'POST /projects/{project}/exceptions/{id}/revoke',
  'exception:decide',
  'End a granted exception now',
  { params: oneInProject, body: reason, reply: riskException },
);

export const requestExceptionEverywhere = endpoint(
  'requestExceptionEverywhere',
  'POST /exceptions',
  'exception:request-everywhere',
  'Ask for an exception in all projects',
  { body: wanted, reply: riskException, status: 201 },
);
export const requestExceptionsEverywhere = endpoint(
  'requestExceptionsEverywhere',
  'POST /exceptions/several',
  'exception:request-everywhere',
  'Ask for several exceptions in all projects together',
  { body: several, reply: exceptions, status: 201 },
);
export const listExceptionsEverywhere = endpoint(
  'listExceptionsEverywhere',
  'GET /exceptions',
  'exception:read-everywhere',
  'Exceptions in all projects, newest first',
  { query: list, reply: exceptions },
);
export const getExceptionEverywhere = endpoint(
  'getExceptionEverywhere',
  'GET /exceptions/{id}',
  'exception:read-everywhere',
  'One exception in all projects',
  { params: one, reply: riskException },
);
export const editExceptionEverywhere = endpoint(
  'editExceptionEverywhere',
  'PATCH /exceptions/{id}',
  'exception:request-everywhere',
  'Change a request in all projects that is not decided',
  { params: one, body: changes, reply: riskException },
);
export const renewExceptionEverywhere = endpoint(
  'renewExceptionEverywhere',
  'POST /exceptions/{id}/renew',
  'exception:request-everywhere',
  'Ask for the same in all projects again',
  { params: one, body: renewal, reply: riskException, status: 201 },
);
export const grantExceptionEverywhere = endpoint(
  'grantExceptionEverywhere',
  'POST /exceptions/{id}/grant',
  'exception:decide-everywhere',
  'Grant a request in all projects',
  { params: one, body: grant, reply: riskException },
);
export const denyExceptionEverywhere = endpoint(
  'denyExceptionEverywhere',
  'POST /exceptions/{id}/deny',
  'exception:decide-everywhere',
  'Deny a request in all projects',
  { params: one, body: deny, reply: riskException },
);
export const decideExceptionsEverywhere = endpoint(
  'decideExceptionsEverywhere',
  'POST /exceptions/decisions',
  'exception:decide-everywhere',
  'Decide several requests in all projects together',
  { body: decision, reply: exceptions },
);
export const revokeExceptionEverywhere = endpoint(
  'revokeExceptionEverywhere',
  'POST /exceptions/{id}/revoke',
  'exception:decide-everywhere',
  'End a granted exception in all projects now',
  { params: one, body: reason, reply: riskException },
);
