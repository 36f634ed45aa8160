import { z } from 'zod';
import { PACKAGE_TYPES } from '../../model/inventory.ts';
import { SEVERITIES } from '../../model/severity.ts';
import type { ScanReport } from './report.ts';

const digest = z.string().regex(/^sha(256|512):[0-9a-f]+$/);
const moment = z.number().int().describe('Milliseconds since the Unix epoch');
const severity = z.enum(SEVERITIES);
const statement = z
  .object({
    source: z.string(),
    severity,
    score: z.number().min(0).max(10).optional(),
    vector: z.string().optional(),
  })
  .describe('What one source says about how bad a vulnerability is');
const source = z.object({ name: z.string(), version: z.string() }).describe('The package it was built from');
const distribution = z.object({
  id: z.string(),
  version: z.string().optional(),
  codename: z.string().optional(),
  idLike: z.array(z.string()),
  prettyName: z.string().optional(),
  rolling: z.boolean(),
});

const reportedPackage = z.object({
  type: z.enum(PACKAGE_TYPES).describe('Type of its package URL'),
  ecosystem: z.string().optional().describe("OSV's name with the release, Alpine:v3.20"),
  name: z.string(),
  version: z.string(),
  arch: z.string().optional(),
  source: source.optional(),
  module: z.string().optional().describe('Module stream of an rpm'),
  thirdParty: z.literal(true).optional().describe('Not built by the distribution'),
  licence: z.string().optional().describe('As the package states it'),
  purl: z.string(),
  layer: z.string().optional().describe('Digest of the layer that brought it'),
  path: z.string().describe('File that says so; !/ leads into an archive'),
});

const setAside = z.union([
  z.object({
    by: z.literal('ignore-file'),
    document: z.string(),
    line: z.number().int().min(1),
    until: z.string().optional().describe('RFC 3339'),
    reason: z.string().optional(),
  }),
  z.object({ by: z.literal('vex'), document: z.string(), reason: z.string() }),
]);
const vex = z
  .object({
    status: z.enum(['not_affected', 'affected', 'fixed', 'under_investigation']),
    justification: z.string().optional(),
    author: z.string(),
    document: z.string(),
    unverified: z.literal(true).optional().describe('Nobody vouches for the author'),
  })
  .describe('The VEX statement that decides about it');
const status = z.enum([
  'affected',
  'fixed',
  'not_affected',
  'will_not_fix',
  'fix_deferred',
  'under_investigation',
  'end_of_life',
  'unknown',
]);

const finding = z.object({
  id: z.string().describe('The CVE where there is one'),
  aliases: z.array(z.string()),
  package: z.string(),
  installed: z.string(),
  fixed: z.string().optional().describe('Lowest version that ends it; absent when there is none'),
  subscriptionFix: z.string().optional().describe('The fix that needs a subscription, where there is no other'),
  status,
  severity: severity.describe('The one that counts'),
  severitySource: z.string().optional().describe('Who says so; absent when nobody does'),
  severities: z.array(statement),
  kev: z.string().optional().describe("Day it entered CISA's catalogue of known exploited vulnerabilities"),
  epss: z.object({ probability: z.number(), percentile: z.number() }).optional(),
  published: z.string().optional(),
  malicious: z.literal(true).optional().describe('The package itself is the attack'),
  kernelHeaders: z.literal(true).optional().describe('Headers of a kernel, of which nothing runs'),
  advisories: z.array(z.string()).describe('Ids of the records behind it'),
  purl: z.string(),
  layer: z.string().optional(),
  path: z.string(),
  paths: z.array(z.string()).optional().describe('All of them, where copies lie in several places'),
  vex: vex.optional(),
  setAside: setAside.optional().describe('Why it does not count'),
});

const ignoreLine = z.object({
  line: z.number().int().min(1),
  id: z.string(),
  package: z.string().optional(),
  until: moment.optional(),
  reason: z.string().optional(),
});

const coverage = z
  .object({
    distribution: z.object({
      recognised: z.boolean(),
      name: z.string().optional(),
      rolling: z.boolean().optional(),
      endOfLife: z.string().optional(),
    }),
    gaps: z.array(
      z.object({
        kind: z.enum(['unreadable-file', 'limit', 'unsupported-layer', 'malformed-entry', 'truncated', 'not-covered']),
        path: z.string().optional(),
        layer: z.string().optional(),
        message: z.string(),
      }),
    ),
    sources: z.array(
      z.object({
        ecosystem: z.string(),
        feed: z.string(),
        completeness: z.enum(['complete', 'sample']),
        records: z.number().int(),
        newest: z.string().optional(),
        note: z.string().optional(),
      }),
    ),
    missing: z.array(z.string()).describe('Ecosystems of which nothing is known here'),
    database: z.object({ version: z.string(), builtAt: z.string() }).optional(),
  })
  .describe('How far the answer reaches');

const kind = z.enum(['allow', 'warn', 'block']);
const reason = z.object({
  rule: z.enum([
    'severity-fixable',
    'severity-unfixable',
    'kev',
    'epss',
    'unscannable',
    'unscanned',
    'end-of-life',
    'advisory-age',
    'advisory-sample',
    'disallowed-tag',
    'digest-required',
    'not-runnable',
    'platform',
    'quarantine',
  ]),
  kind,
  severity,
  severitySource: z.string().optional(),
  severities: z.array(statement).optional(),
  vulnerability: z.string().optional(),
  aliases: z.array(z.string()).optional(),
  package: z.string().optional(),
  installed: z.string().optional(),
  fixed: z.string().optional(),
  subscriptionFix: z.string().optional(),
  status: status.optional(),
  kev: z.boolean().optional(),
  epss: z.number().optional(),
  firstSeen: moment.optional(),
  deadline: moment.optional(),
  heldUntil: moment.optional(),
  suppressedBy: z.object({ exception: z.string(), until: moment }).optional(),
  vex: vex.optional(),
  message: z.string(),
  source: z.string(),
});

const verdict = z.object({
  kind,
  subject: digest.describe('The manifest, or the hash of what was found where there is none'),
  reasons: z.array(reason).describe('Worst first'),
  counts: z.object({
    total: z.number().int(),
    fixable: z.number().int(),
    suppressed: z.number().int(),
    bySeverity: z.record(severity, z.number().int()),
  }),
  inputs: z.object({
    inventory: z.string(),
    advisories: z.string(),
    policy: z.number().int(),
    exceptions: z.string(),
    vex: z.string(),
    clocks: z.string(),
    quarantine: z.string().optional(),
  }),
  judgedAt: moment,
  changesAt: moment.optional(),
});

/** The form of a scan report; `docs/schemas/scan-report.schema.json` is made from it. */
export const scanReportSchema = z
  .object({
    target: z.string().describe('As it was asked for'),
    digest: digest.optional(),
    layers: z
      .array(z.object({ digest: z.string().optional(), createdBy: z.string().optional() }))
      .optional()
      .describe('Lowest first, with the build step of each'),
    distribution: distribution.optional(),
    packages: z.array(reportedPackage),
    findings: z.array(finding),
    hidden: z.number().int().optional().describe('Findings without a fix, left out with --only-fixable'),
    ignoreFile: z.object({ file: z.string(), expired: z.array(ignoreLine), unused: z.array(ignoreLine) }).optional(),
    coverage,
    verdict,
  })
  .describe('What `breakwater scan -o json` prints. Members may be added, never changed.');

/** Everything but the brands of digests, which JSON does not know. */
type Plain<Value> = Value extends string
  ? string extends Value
    ? string
    : Value extends `sha${string}`
      ? string
      : Value
  : Value extends readonly (infer Item)[]
    ? Plain<Item>[]
    : Value extends object
      ? { -readonly [Key in keyof Value]: Plain<Exclude<Value[Key], undefined>> }
      : Value;

type Typed = Plain<ScanReport>;
type Described = Plain<z.infer<typeof scanReportSchema>>;
/** Compile only while schema and type say the same. */
export const asDescribed = (report: Typed): Described => report;
export const asTyped = (report: Described): Typed => report;

/** The schema as JSON Schema 2020-12. `closed` refuses members that it does not name. */
export function scanReportJsonSchema({ closed }: { readonly closed: boolean }): Record<string, unknown> {
  const schema = z.toJSONSchema(scanReportSchema, {
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      if (!closed && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return { $id: 'urn:breakwater:schema:scan-report', title: 'Breakwater scan report', ...schema };
}
