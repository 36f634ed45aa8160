import { z } from 'zod';
import { PACKAGE_TYPES } from '../../model/inventory.ts';
import { inProject, listOf, moment, oneInProject, reason } from './common.ts';
import { endpoint } from './endpoint.ts';

const asked = {
  vulnerability: z.string().max(128),
  package: z.string().max(255).optional(),
  packageType: z.enum(PACKAGE_TYPES).optional(),
  version: z.string().max(255).optional(),
  repository: z.string().max(255).optional(),
  digest: z.string().max(140).optional(),
  reason: z.string().max(4000),
  ticket: z.string().max(500).optional(),
  until: moment,
};

export const riskException = z.object({
  ...asked,
  id: z.string(),
  state: z.enum(['requested', 'granted', 'denied', 'revoked']),
  expired: z.boolean(),
  requestedBy: z.string(),
  requestedAt: moment,
  decidedBy: z.string().optional(),
  decidedAt: moment.optional(),
  decisionReason: z.string().optional(),
  singleHanded: z.boolean(),
  validFrom: moment.optional(),
});
export type RiskException = z.infer<typeof riskException>;

export const requestException = endpoint(
  'requestException',
  'POST /projects/{project}/exceptions',
  'exception:request',
  'Ask for an exception',
  {
    params: inProject,
    body: z.object(asked).strict(),
    reply: riskException,
    status: 201,
  },
);
export const listExceptions = endpoint(
  'listExceptions',
  'GET /projects/{project}/exceptions',
  'exception:read',
  'Exceptions of a project, newest first',
  {
    params: inProject,
    reply: listOf(riskException),
  },
);
export const grantException = endpoint(
  'grantException',
  'POST /projects/{project}/exceptions/{id}/grant',
  'exception:decide',
  'Grant a request; may end it earlier than asked',
  {
    params: oneInProject,
    body: reason.extend({ until: moment.optional() }),
    reply: riskException,
  },
);
export const denyException = endpoint(
  'denyException',
  'POST /projects/{project}/exceptions/{id}/deny',
  'exception:decide',
  'Deny a request',
  {
    params: oneInProject,
    body: reason,
    reply: riskException,
  },
);
export const revokeException = endpoint(
  'revokeException',
  'POST /projects/{project}/exceptions/{id}/revoke',
  'exception:decide',
  'End a granted exception now',
  {
    params: oneInProject,
    body: reason,
    reply: riskException,
  },
);
