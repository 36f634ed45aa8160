import { ConstraintError, parseConstraint } from '../constraints/constraint.ts';
import type { AdmissionRequest, AdmissionResponse } from './review.ts';

/**
 * Looks at a constraint that is applied: one that could not be used is refused (403) with what is wrong with it. Changes
 * of what is being deleted pass, so that a broken constraint can go.
 */
export function reviewConstraint(request: AdmissionRequest): AdmissionResponse {
  const { uid, operation, object } = request;
  const changes = operation === 'CREATE' || operation === 'UPDATE';
  if (!changes || !object || isBeingDeleted(object)) return { uid, allowed: true };
  try {
    parseConstraint(object);
    return { uid, allowed: true };
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    return { uid, allowed: false, status: { code: 403, reason: 'Forbidden', message: error.message } };
  }
}

function isBeingDeleted({ metadata }: Readonly<Record<string, unknown>>): boolean {
  return typeof metadata === 'object' && metadata !== null && 'deletionTimestamp' in metadata;
}
