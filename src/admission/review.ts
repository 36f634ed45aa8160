import { z } from 'zod';
import { type EvaluateDeps, type EvaluatedLine, evaluate } from '../constraints/evaluate.ts';
import { linePrefix } from '../constraints/messages.ts';
import type { Rules } from '../constraints/rules.ts';
import { imagesOf } from '../constraints/workload.ts';
import { CodedError } from '../platform/errors.ts';
import { boundWarnings } from './warnings.ts';

export class ReviewError extends CodedError<'review_invalid'> {
  /** Of the request, when it could be read: then the answer can be an AdmissionReview. */
  readonly uid: string | undefined;

  constructor(message: string, uid: string | undefined) {
    super('review_invalid', message);
    this.uid = uid;
  }
}

const uid = z.string().min(1).max(256);
const reviewSchema = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    uid,
    operation: z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']),
    namespace: z.string().max(256).optional(),
    name: z.string().max(512).optional(),
    object: z.looseObject({}).nullish(),
    oldObject: z.looseObject({}).nullish(),
  }),
});
export type AdmissionRequest = z.infer<typeof reviewSchema>['request'];

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
  readonly status?: { readonly code: number; readonly reason?: string; readonly message?: string };
}

export interface AdmissionReviewReply {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

const MOST_DENIALS = 50;

/** Reads an AdmissionReview v1. Throws `ReviewError`, with the uid of the request when that much could be read. */
export function parseReview(body: unknown): AdmissionRequest {
  const parsed = reviewSchema.safeParse(body);
  if (parsed.success) return parsed.data.request;
  const [issue] = parsed.error.issues;
  const found = z.looseObject({ request: z.looseObject({ uid }) }).safeParse(body);
  throw new ReviewError(
    `not an AdmissionReview of admission.k8s.io/v1: ${issue?.path.join('.') || 'body'}: ${issue?.message ?? ''}`,
    found.success ? found.data.request.uid : undefined,
  );
}

/** Wraps a response as the API server expects it. */
export function asReview(response: AdmissionResponse): AdmissionReviewReply {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}

/**
 * Decides an admission request under the constraints in force. Pure but for the look-ups, which are local.
 * `notes` are further warnings for whoever applies an object with images.
 * Denied = 403 Forbidden with one message a line; everything else that was found rides along as warnings, worst first.
 */
export function review(
  deps: EvaluateDeps,
  rules: Rules,
  request: AdmissionRequest,
  notes: readonly string[] = [],
): AdmissionResponse {
  const { object, oldObject, operation, uid } = request;
  const changes = operation === 'CREATE' || operation === 'UPDATE';
  if (!changes || !object || isBeingDeleted(object)) return { uid, allowed: true };
  const lines = evaluate(deps, rules, 'validation.gatekeeper.sh', {
    object,
    ...(oldObject ? { oldObject } : {}),
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
  }).filter(({ action }) => action !== 'dryrun');
  // What ran before the update goes on running: only an image that the update brings can be denied.
  const before = new Set(operation === 'UPDATE' ? imagesOf(oldObject).map(({ image }) => image) : []);
  const denied = lines.filter((line) => denies(line) && !before.has(line.image));
  const denying = new Set(denied);
  const warned = lines.filter((line) => !denying.has(line)).sort((a, b) => badness(a) - badness(b));
  const warnings = boundWarnings([...new Set([...warned.flatMap((line) => written(line, false)), ...notes])]);
  const base = warnings.length === 0 ? { uid } : { uid, warnings };
  if (denied.length === 0) {
    return { ...base, allowed: true, ...(warnings.length === 0 ? {} : { status: { code: 299 } }) };
  }
  return { ...base, allowed: false, status: { code: 403, reason: 'Forbidden', message: denialText(denied) } };
}

const ORDER: readonly EvaluatedLine['kind'][] = ['untrusted', 'blocked', 'unknown', 'warned'];

/** What the registry only warns about never denies; what it does not know denies where the constraint says so. */
function denies({ action, kind, constraint }: EvaluatedLine): boolean {
  return action === 'deny' && kind !== 'warned' && (kind !== 'unknown' || constraint.options.unknown === 'deny');
}

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
  const sentence = `${linePrefix(constraint.options.style, constraint.name, denies)}${message}`;
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
