import { z } from 'zod';
import type { AdvisorySource } from '../../model/coverage.ts';
import { listOf, moment, name, page, runningContainer } from './common.ts';
import { endpoint } from './endpoint.ts';

export const advisoryStatus = z.object({
  database: z
    .object({ version: z.string(), builtAt: moment, ageDays: z.number(), sources: z.array(z.custom<AdvisorySource>()) })
    .optional(),
});
export const getAdvisories = endpoint(
  'getAdvisories',
  'GET /advisories',
  'advisories:read',
  'The advisory database in use, its sources and their age',
  {
    reply: advisoryStatus,
  },
);
export const importAdvisories = endpoint(
  'importAdvisories',
  'PUT /advisories',
  'advisories:import',
  'Install an advisory database (a file of `breakwater db build`)',
  {
    body: z.unknown(),
    sends: 'stream',
    reply: z.object({ version: z.string(), builtAt: moment, changed: z.boolean() }),
  },
);

/** Names of Kubernetes objects (RFC 1123 subdomain) and of services (RFC 1035 label). */
const objectName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'not a name of a Kubernetes object');
const serviceName = z
  .string()
  .max(63)
  .regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?$/, 'not the name of a Kubernetes service');
/** An API server calls webhooks over TLS only, and takes no credentials, query or fragment in their address. */
const webhookUrl = z
  .string()
  .max(1024)
  .refine((text) => isWebhookUrl(text), 'not an address like https://10.0.0.5:8443');

function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && ![url.username, url.password, url.search, url.hash].some(Boolean);
}

export const guardManifests = endpoint(
  'guardManifests',
  'GET /guard/manifests',
  'guard:read',
  'What a cluster needs, ready for kubectl apply',
  {
    query: z
      .object({
        name: objectName.optional(),
        enforcement: z.enum(['warn', 'deny', 'dryrun']).default('warn'),
        style: z.enum(['welkin-docs', 'gatekeeper', 'welkin-current']).optional(),
        url: webhookUrl.optional(),
        service: serviceName.optional(),
        document: z.enum(['true', 'false']).optional(),
        pinning: z.enum(['pods', 'templates']).optional(),
        failurePolicy: z.enum(['Ignore', 'Fail']).optional(),
        /** Guards behind the address: `Fail` needs two. */
        replicas: z.coerce.number().int().min(0).max(1000).optional(),
      })
      .strict()
      .refine(({ url, service }) => url === undefined || service === undefined, 'give url or service, not both'),
    reply: z.string(),
    gives: 'text',
  },
);

const auditRun = z.object({
  id: z.string(),
  cluster: z.string(),
  startedAt: moment,
  finishedAt: moment,
  objects: z.number().int(),
  violations: z.number().int(),
  incomplete: z.array(z.object({ kind: z.string(), reason: z.string() })),
});
export const violation = z.object({
  constraint: z.string(),
  action: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  message: z.string(),
});
export const runAudit = endpoint(
  'runAudit',
  'POST /cluster/audit',
  'cluster-audit:run',
  'Audit the configured cluster now',
  { reply: auditRun },
);
export const listViolations = endpoint(
  'listViolations',
  'GET /cluster/violations',
  'ledger:read',
  'Violations of the newest audit of each cluster',
  {
    reply: z.object({ runs: z.array(auditRun.extend({ items: z.array(violation) })) }),
  },
);
export const listRunning = endpoint('listRunning', 'GET /cluster/images', 'ledger:read', 'Images that run', {
  reply: listOf(
    runningContainer.extend({
      digest: z.string().optional(),
      firstSeen: moment,
      lastSeen: moment,
    }),
  ),
});

export const listLedger = endpoint('listLedger', 'GET /ledger', 'ledger:read', 'The hash-chained log, oldest first', {
  query: page.extend({
    from: moment.optional(),
    to: moment.optional(),
    target: z.string().max(1024).optional(),
    actor: name.optional(),
    /** `project.create`, or all of a noun: `project`. */
    action: z
      .string()
      .max(100)
      .regex(/^[a-z-]+(\.[a-z-]+)?$/, 'like project.create, or project for all of its kind')
      .optional(),
    project: name.optional(),
  }),
  reply: listOf(
    z.object({
      seq: z.number().int(),
      at: moment,
      actor: z.string(),
      action: z.string(),
      target: z.string(),
      details: z.record(z.string(), z.unknown()),
      previousHash: z.string(),
      hash: z.string(),
    }),
  ),
});

export const exportEvidence = endpoint(
  'exportEvidence',
  'GET /evidence',
  'evidence:export',
  'Evidence for an auditor, one file',
  {
    query: z.object({ from: moment, to: moment, format: z.enum(['json', 'html']).default('json') }).strict(),
    reply: z.string(),
    gives: 'download',
  },
);
