import type { AdmissionRequest } from './parse-review.ts';

/** A review request as the API server makes it, CREATE in `demo` unless said otherwise. */
export function testRequest(object: unknown, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    uid: 'u1',
    operation: 'CREATE',
    namespace: 'demo',
    object: object as Record<string, unknown>,
    ...more,
  };
}
