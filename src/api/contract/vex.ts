import { z } from 'zod';
import { VEX_STATUSES } from '../../vex/author.ts';
import { VEX_FORMS } from '../../vex/export/forms.ts';
import { inProject, listOf, moment, name, oneInProject, reason } from './common.ts';
import { endpoint } from './endpoint.ts';

const status = z.enum(VEX_STATUSES);

const declared = {
  name: z.string().max(100),
  /** Public key, PEM. */
  key: z.string().max(8192),
  products: z.array(z.string().max(255)).max(50),
  statuses: z.array(status).max(4),
  criteria: z.string().max(8000),
  findings: z.string().max(8000),
  owner: z.string().max(200),
  reviewDue: moment,
};
export const vexAuthor = z.object({
  ...declared,
  id: z.string(),
  fingerprint: z.string(),
  state: z.enum(['declared', 'review due', 'retired', 'revoked']),
  addedBy: z.string(),
  addedAt: moment,
  retiredBy: z.string().optional(),
  retiredAt: moment.optional(),
  retireReason: z.string().optional(),
  revokedAt: moment.optional(),
});
export type VexAuthorView = z.infer<typeof vexAuthor>;

export const addVexAuthor = endpoint(
  'addVexAuthor',
  'POST /vex-authors',
  'vex-author:manage',
  'Declare an author whose VEX statements count',
  { body: z.object(declared).strict(), reply: vexAuthor, status: 201 },
);
export const listVexAuthors = endpoint(
  'listVexAuthors',
  'GET /vex-authors',
  'vex-author:read',
  'Declared authors of VEX, retired ones too',
  { reply: listOf(vexAuthor) },
);
export const retireVexAuthor = endpoint(
  'retireVexAuthor',
  'POST /vex-authors/{id}/retire',
  'vex-author:manage',
  'Let nothing of an author count any more, or nothing that came after its key was lost',
  {
    params: z.object({ id: z.string().min(1).max(64) }).strict(),
    body: reason.extend({ revokedAt: moment.optional() }),
    reply: vexAuthor,
  },
);

export const vexDocument = z.object({
  id: z.string(),
  /** Absent: it holds in every project. */
  project: z.string().optional(),
  name: z.string(),
  digest: z.string(),
  format: z.enum(VEX_FORMS),
  /** Who it says wrote it. */
  says: z.string(),
  /** The declared author that signed it; absent: it counts for nothing. */
  author: z.string().optional(),
  subjects: z.array(z.string()).optional(),
  saidAt: moment,
  receivedAt: moment,
  receivedBy: z.string(),
  withdrawnAt: moment.optional(),
  problems: z.array(z.string()),
});
export type VexDocumentView = z.infer<typeof vexDocument>;

export const importedVex = vexDocument.extend({
  statements: z.number().int(),
  /** Ids of the exceptions that were asked for instead. */
  requested: z.array(z.string()),
  /** How many more would have been asked for. */
  left: z.number().int(),
});
export type ImportedVex = z.infer<typeof importedVex>;

const incoming = z
  .object({
    /** As findings name the document. */
    name: z.string().min(1).max(255).default('document'),
    /** A detached signature over the bytes, base64. */
    signature: z.string().max(2048).optional(),
  })
  .strict();
export const importVex = endpoint(
  'importVex',
  'POST /projects/{project}/vex/documents',
  'vex:import',
  'Take a VEX document in for a project',
  { params: inProject, query: incoming, body: z.unknown(), sends: 'stream', reply: importedVex, status: 201 },
);
export const importVexEverywhere = endpoint(
  'importVexEverywhere',
  'POST /vex/documents',
  'vex-author:manage',
  'Take a signed VEX document in for every project',
  { query: incoming, body: z.unknown(), sends: 'stream', reply: importedVex, status: 201 },
);
export const listVex = endpoint(
  'listVex',
  'GET /projects/{project}/vex/documents',
  'vex:read',
  'VEX documents that a project knows, newest first',
  { params: inProject, reply: listOf(vexDocument) },
);
export const withdrawVex = endpoint(
  'withdrawVex',
  'POST /projects/{project}/vex/documents/{id}/withdraw',
  'vex:withdraw',
  'Let nothing in a document count any more',
  { params: oneInProject, body: reason, reply: vexDocument },
);

const consideredStatement = z.object({
  status,
  /** The declared author, or what an unsigned document says. */
  author: z.string(),
  proven: z.boolean(),
  document: z.string(),
  documentId: z.string(),
  at: moment,
  justification: z.string().optional(),
  outcome: z.enum([
    'decides',
    'outranked',
    'superseded',
    'objected',
    'other-version',
    'other-component',
    'other-product',
    'no-finding',
  ]),
  /** The same in words. */
  why: z.string(),
});
export type ConsideredStatement = z.infer<typeof consideredStatement>;
export const vexExplanation = z.object({
  image: z.string(),
  digest: z.string(),
  vulnerability: z.string(),
  findings: z.array(
    z.object({
      package: z.string(),
      installed: z.string(),
      /** What counts; absent: nothing that was said does. */
      status: status.optional(),
      statements: z.array(consideredStatement),
    }),
  ),
  /** Statements about the vulnerability where the image has no finding of it. */
  others: z.array(consideredStatement),
});
export type VexExplanation = z.infer<typeof vexExplanation>;
export const explainVex = endpoint(
  'explainVex',
  'GET /projects/{project}/vex/explanation',
  'vex:read',
  'Which statements there are about a vulnerability in an image, which counts, and why the others do not',
  {
    params: inProject,
    query: z.object({ image: z.string().min(3).max(512), vulnerability: z.string().min(1).max(128) }).strict(),
    reply: vexExplanation,
  },
);

export const exportVex = endpoint(
  'exportVex',
  'GET /projects/{project}/vex',
  'vex:read',
  'What is known of the vulnerabilities of images, as a VEX document',
  {
    params: inProject,
    query: z
      .object({
        form: z.enum(VEX_FORMS).default('openvex'),
        /** Full name of a repository of the project. */
        repository: name.optional(),
        /** An image in it, by digest. */
        digest: z.string().max(140).optional(),
      })
      .strict(),
    reply: z.record(z.string(), z.unknown()),
  },
);
