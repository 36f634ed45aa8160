import { IGNORE_LABEL } from '../constraints/default-match.ts';
import { kubernetesObject } from '../constraints/kubernetes-object.ts';
import type { AdmissionRequest } from './parse-review.ts';
import type { AdmissionResponse } from './review.ts';

const MESSAGE = `Only exempt namespace can have the ${IGNORE_LABEL} label`;

/**
 * Keeps a namespace from exempting itself: the ignore label is accepted on listed namespaces only (a name,
 * `prefix*`, `*suffix`). A label that is there already may stay, so that such a namespace can still be changed and deleted.
 */
export function reviewIgnoreLabel(request: AdmissionRequest, exempt: readonly string[]): AdmissionResponse {
  const { uid, operation, object, oldObject } = request;
  if (operation === 'DELETE' || !object) return { uid, allowed: true };
  const { kind, metadata } = kubernetesObject.parse(object);
  const old = oldObject ? kubernetesObject.parse(oldObject).metadata.labels : {};
  const brought = Object.hasOwn(metadata.labels, IGNORE_LABEL) && !Object.hasOwn(old, IGNORE_LABEL);
  if (kind !== 'Namespace' || !brought || exempt.some((entry) => isExempt(entry, metadata.name))) {
    return { uid, allowed: true };
  }
  return { uid, allowed: false, status: { code: 403, reason: 'Forbidden', message: MESSAGE } };
}

function isExempt(entry: string, name: string): boolean {
  if (entry === '*') return false;
  if (entry.endsWith('*')) return name.startsWith(entry.slice(0, -1));
  return entry.startsWith('*') ? name.endsWith(entry.slice(1)) : entry === name;
}
