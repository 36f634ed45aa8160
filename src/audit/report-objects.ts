import { createHash } from 'node:crypto';
import type { ReportedViolation } from './reported-violations.ts';

/** An API that takes reports about policies. Both have the same fields. */
export interface ReportApi {
  readonly name: 'wgpolicy' | 'openreports';
  readonly groupVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** For objects without a namespace. */
  readonly clusterKind: string;
  readonly clusterPlural: string;
}

export const REPORT_APIS: readonly ReportApi[] = [
  {
    name: 'wgpolicy',
    groupVersion: 'wgpolicyk8s.io/v1alpha2',
    kind: 'PolicyReport',
    plural: 'policyreports',
    clusterKind: 'ClusterPolicyReport',
    clusterPlural: 'clusterpolicyreports',
  },
  {
    name: 'openreports',
    groupVersion: 'openreports.io/v1alpha1',
    kind: 'Report',
    plural: 'reports',
    clusterKind: 'ClusterReport',
    clusterPlural: 'clusterreports',
  },
];

export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'breakwater' } as const;
/** What a report holds, so that one that is right already is not written again, whoever wrote it. */
export const CONTENT_ANNOTATION = 'breakwater/content';
const NAME = 'breakwater';
const MOST_RESULTS = 500;
/** etcd takes 1.5 MB; what a report is wrapped in is small. */
const MOST_BYTES = 1_000_000;
const SOURCE = 'breakwater';
const CATEGORY = 'Images';

/** One report as it is to be: where, and with which content. */
export interface WantedReport {
  /** Empty for objects without a namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly content: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** All reports of one API: per namespace, in as many pieces as fit, with the same names for the same content. */
export function wantedReports(api: ReportApi, violations: readonly ReportedViolation[]): WantedReport[] {
  const reports: WantedReport[] = [];
  for (const [namespace, ofIt] of Map.groupBy(violations, (one) => one.namespace)) {
    for (const [at, results] of chunks(ofIt.map(resultOf)).entries())
      reports.push(reportOf(api, namespace, `${NAME}-${at}`, results));
  }
  return reports;
}

function reportOf(api: ReportApi, namespace: string, name: string, results: readonly Result[]): WantedReport {
  const warn = results.filter(({ result }) => result === 'warn').length;
  const body = {
    ...(api.name === 'openreports' ? { source: SOURCE } : {}),
    summary: { pass: 0, fail: results.length - warn, warn, error: 0, skip: 0 },
    results,
  };
  const content = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return {
    namespace,
    name,
    content,
    object: {
      apiVersion: api.groupVersion,
      kind: namespace === '' ? api.clusterKind : api.kind,
      metadata: {
        name,
        ...(namespace === '' ? {} : { namespace }),
        labels: MANAGED_BY,
        annotations: { [CONTENT_ANNOTATION]: content },
      },
      ...body,
    },
  };
}

interface Result {
  readonly policy: string;
  readonly rule: string;
  readonly category: string;
  readonly source: string;
  readonly result: 'fail' | 'warn';
  readonly scored: boolean;
  readonly message: string;
  readonly resources: readonly Record<string, string>[];
  readonly properties: Readonly<Record<string, string>>;
}

/** What only warns is a warning in the report too, as whoever set it so wants it to be seen. */
function resultOf(one: ReportedViolation): Result {
  return {
    policy: one.constraint,
    rule: one.constraintKind,
    category: CATEGORY,
    source: SOURCE,
    result: one.action === 'deny' || one.scopedActions.includes('deny') ? 'fail' : 'warn',
    scored: true,
    message: one.message,
    resources: [
      {
        apiVersion: one.group === '' ? one.version : `${one.group}/${one.version}`,
        kind: one.kind,
        ...(one.namespace === '' ? {} : { namespace: one.namespace }),
        name: one.name,
        uid: one.uid,
      },
    ],
    properties: {
      enforcementAction: one.action,
      image: one.image,
      ...(one.admittedWhileAway ? { admittedWhileAway: 'true' } : {}),
    },
  };
}

function chunks(results: readonly Result[]): Result[][] {
  const all: Result[][] = [];
  let chunk: Result[] = [];
  let bytes = 0;
  for (const result of results) {
    const size = Buffer.byteLength(JSON.stringify(result)) + 1;
    if (chunk.length > 0 && (chunk.length === MOST_RESULTS || bytes + size > MOST_BYTES)) {
      all.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(result);
    bytes += size;
  }
  if (chunk.length > 0) all.push(chunk);
  return all;
}
