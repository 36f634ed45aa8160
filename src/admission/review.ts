import type { Constraint } from '../constraints/constraint.ts';
import { type EvaluateDeps, type EvaluatedLine, evaluate } from '../constraints/evaluate.ts';
import { linePrefix } from '../constraints/messages.ts';
import { imagesOf } from '../constraints/workload.ts';
import type { AdmissionRequest, ReviewVersion } from './parse-review.ts';
import { boundWarnings } from './warnings.ts';

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
  readonly status?: { readonly code: number; readonly reason?: string; readonly message?: string };
}

export interface AdmissionReviewReply {
  readonly apiVersion: ReviewVersion;
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

const MOST_DENIALS = 50;

/** Wraps a response as the API server expects it: in the version it asked in. */
export function asReview(
  response: AdmissionResponse,
  apiVersion: ReviewVersion = 'admission.k8s.io/v1',
): AdmissionReviewReply {
  return { apiVersion, kind: 'AdmissionReview', response };
}

/**
 * Decides an admission request under the constraints in force. Pure but for the look-ups, which are local.
 * `notes` are further warnings for whoever applies an object with images.
 * Denied = 403 Forbidden with one message a line; everything else that was found rides along as warnings, worst first.
 */
export function review(
  deps: EvaluateDeps,
  constraints: readonly Constraint[],
  request: AdmissionRequest,
  notes: readonly string[] = [],
): AdmissionResponse {
  const { object, oldObject, operation, uid } = request;
  const changes = operation === 'CREATE' || operation === 'UPDATE';
  if (!changes || !object || isBeingDeleted(object)) return { uid, allowed: true };
  const lines = evaluate(deps, constraints, 'validation.gatekeeper.sh', {
    object,
    ...(oldObject ? { oldObject } : {}),
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
  }).filter(({ action }) => action !== 'dryrun');
  // What ran before the update goes on running: only an image that the update brings can be denied.
  const before = new Set(operation === 'UPDATE' ? imagesOf(oldObject).map(({ image }) => image) : []);
  const denied = lines.filter((line) => line.action === 'deny' && line.kind !== 'warned' && !before.has(line.image));
  const denying = new Set(denied);
  const warned = lines.filter((line) => !denying.has(line)).sort((a, b) => badness(a) - badness(b));
  const warnings = boundWarnings([...new Set([...warned.flatMap((line) => written(line, false)), ...notes])]);
  const base = warnings.length === 0 ? { uid } : { uid, warnings };
  if (denied.length === 0) {
    return { ...base, allowed: true, ...(warnings.length === 0 ? {} : { status: { code: 299 } }) };
  }
  return { ...base, allowed: false, status: { code: 403, reason: 'Forbidden', message: denialText(denied) } };
}

const ORDER: readonly EvaluatedLine['kind'][] = ['untrusted', 'blocked', 'warned'];

function badness(line: EvaluatedLine): number {
  return ORDER.indexOf(line.kind);
}

function denialText(denied: readonly EvaluatedLine[]): string {
  const texts = [...new Set(denied.map((line) => written(line, true).join('\n')))];
  const rest = texts.length - MOST_DENIALS;
  return [...texts.slice(0, MOST_DENIALS), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n');
}

/** The lines to print for one finding: the sentence with its prefix, and the hint on its own. */
function written({ constraint, message, hint }: EvaluatedLine, denies: boolean): string[] {
  const sentence = `${linePrefix(constraint.style, constraint.name, denies)}${message}`;
  return hint === undefined ? [sentence] : [sentence, hint];
}

function isBeingDeleted(object: Readonly<Record<string, unknown>>): boolean {
  const { metadata } = object;
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    'deletionTimestamp' in metadata &&
    typeof metadata.deletionTimestamp === 'string'
  );
}
