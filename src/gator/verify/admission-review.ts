import { fieldAt, isRecord, textAt } from '../../platform/json-object.ts';
import type { Review } from '../client/client.ts';
import { missingKind } from '../documents.ts';
import { GatorError, SAYS } from '../errors.ts';
import { gvkOf, type Unstructured } from '../object.ts';

export function isAdmissionReview(object: unknown): boolean {
  const { group, kind } = gvkOf(object);
  return group === 'admission.k8s.io' && kind === 'AdmissionReview';
}

type Shape = 'text' | 'flag' | 'any' | 'texts' | { readonly [field: string]: Shape };

const GVK = { group: 'text', version: 'text', kind: 'text' } as const;
const GVR = { group: 'text', version: 'text', resource: 'text' } as const;
const REQUEST: Shape = {
  uid: 'text',
  kind: GVK,
  resource: GVR,
  subResource: 'text',
  requestKind: GVK,
  requestResource: GVR,
  requestSubResource: 'text',
  name: 'text',
  namespace: 'text',
  operation: 'text',
  userInfo: { username: 'text', uid: 'text', groups: 'texts', extra: 'any' },
  object: 'any',
  oldObject: 'any',
  dryRun: 'flag',
  options: 'any',
};
const RESPONSE: Shape = {
  uid: 'text',
  allowed: 'flag',
  status: 'any',
  patch: 'any',
  patchType: 'text',
  auditAnnotations: 'any',
  warnings: 'texts',
};
const REVIEW: Shape = { kind: 'text', apiVersion: 'text', request: REQUEST, response: RESPONSE };

/** What does not fit a shape, as paths; null is the empty value of anything. */
function misfits(shape: Shape, value: unknown, path: string): readonly string[] {
  if (value === null || shape === 'any') return [];
  if (shape === 'text') return typeof value === 'string' ? [] : [`${path} is no text`];
  if (shape === 'flag') return typeof value === 'boolean' ? [] : [`${path} is no boolean`];
  if (shape === 'texts') {
    return Array.isArray(value) && value.every((one) => typeof one === 'string') ? [] : [`${path} is no list of texts`];
  }
  if (!isRecord(value)) return [`${path} is no object`];
  return Object.entries(value).flatMap(([name, one]) => {
    const inner = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const here = path === '' ? name : `${path}.${name}`;
    return inner === undefined ? [`unknown field "${here}"`] : misfits(inner, one, here);
  });
}

/** What a review in a case asks. Throws `GatorError('case_invalid')` for one an API server would not send. */
export function reviewOf(object: Unstructured): Review {
  const wrong = misfits(REVIEW, object, '');
  if (wrong.length > 0) {
    throw bad(
      `${SAYS.notReview}: unable to convert to an AdmissionReview object, error: strict decoding error: ${wrong.join(', ')}`,
    );
  }
  const request = fieldAt(object, 'request');
  if (!isRecord(request)) throw bad(`${SAYS.noRequest}: request did not actually pass in an AdmissionRequest`);
  const [current, old] = [request['object'] ?? null, request['oldObject'] ?? null];
  if (current === null && old === null) {
    throw bad(`${SAYS.noObject}: AdmissionRequest does not contain an "object" or "oldObject" to review`);
  }
  const deleted = textAt(request, 'operation') === 'DELETE';
  const [given, before] = [asObject(current), asObject(old)];
  if (deleted && before === null) {
    throw bad(
      'admission.k8s.gatekeeper.sh: target.HandleReview failed for target "admission.k8s.gatekeeper.sh": oldObject cannot be nil for DELETE operations\n',
    );
  }
  return {
    object: deleted ? before : given,
    oldObject: before ?? undefined,
    namespace: textAt(request, 'namespace'),
    source: 'Original',
  };
}

function asObject(value: unknown): Unstructured | null {
  if (value === null) return null;
  if (isRecord(value) && gvkOf(value).kind !== '') return value;
  throw bad(`${SAYS.unmarshal}: ${missingKind(value)}`);
}

function bad(message: string): GatorError {
  return new GatorError('case_invalid', message);
}
