import type { AdmissionRequest, AdmissionResponse } from './review.ts';

/** On the object of a probe: its number, by which whoever sent it knows the answer. */
export const PROBE_LABEL = 'breakwater/probe';
const NUMBER = /^[0-9a-f]{8,64}$/;

/**
 * The answer to a probe of the guard's own: a refusal that carries its number. A probe is a dry run of a PodTemplate with
 * `PROBE_LABEL`; anything else is undefined. Whoever imitates one gets the refusal too, so there is nothing to gain.
 */
export function probeAnswer(request: AdmissionRequest, answeredBy: string): AdmissionResponse | undefined {
  if (request['dryRun'] !== true || request.operation !== 'CREATE') return undefined;
  const { object } = request;
  if (object?.['kind'] !== 'PodTemplate') return undefined;
  const number = labelsOf(object)[PROBE_LABEL];
  if (typeof number !== 'string' || !NUMBER.test(number)) return undefined;
  const message = `${probeWords(number)}, answered by ${answeredBy}`;
  return { uid: request.uid, allowed: false, status: { code: 403, reason: 'Forbidden', message } };
}

/** What the answer to a probe begins with. */
export function probeWords(number: string): string {
  return `breakwater probe ${number}`;
}

function labelsOf(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { metadata } = object;
  const labels =
    typeof metadata === 'object' && metadata !== null && 'labels' in metadata ? metadata.labels : undefined;
  return typeof labels === 'object' && labels !== null ? (labels as Record<string, unknown>) : {};
}
