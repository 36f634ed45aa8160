import { isRecord } from '../platform/json-object.ts';
import type { MatchSubject } from './match.ts';

const NO_LABELS: Readonly<Record<string, string>> = {};

/**
 * An object as the matchers see it; fields of the wrong shape count as absent. `namespace` is that of the request, which
 * is empty for objects without one; the object's own is taken when it is undefined.
 */
export function subjectOf(
  object: Readonly<Record<string, unknown>>,
  namespace: string | undefined,
  source: MatchSubject['source'],
): MatchSubject {
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {};
  const { name, generateName, namespace: own, labels } = metadata;
  return {
    apiVersion: text(object['apiVersion']),
    kind: text(object['kind']),
    name: text(name),
    generateName: typeof generateName === 'string' && generateName !== '' ? generateName : undefined,
    namespace: namespace ?? text(own),
    // A label that is no text cannot be equal to one, which is all that selectors ask.
    labels: isRecord(labels) ? (labels as Readonly<Record<string, string>>) : NO_LABELS,
    source,
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
