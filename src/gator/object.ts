import { fieldAt, isRecord, textAt } from '../platform/json-object.ts';
/** A Kubernetes object as JSON, whatever it holds: gator judges what no API server has looked at. */
export type Unstructured = Readonly<Record<string, unknown>>;

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** `apiVersion` with more than one slash names nothing at all, not even a kind. */
export function gvkOf(object: unknown): GroupVersionKind {
  const [first = '', second, ...rest] = textAt(object, 'apiVersion').split('/');
  if (rest.length > 0) return { group: '', version: '', kind: '' };
  const kind = textAt(object, 'kind');
  if (second === undefined) return { group: '', version: first, kind };
  return { group: first, version: second, kind };
}

/** `apps/v1, Kind=Deployment`, as Go prints it. */
export function gvkText({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}, Kind=${kind}`;
}

export const nameOf = (object: unknown): string => textAt(object, 'metadata', 'name');
export const namespaceOf = (object: unknown): string => textAt(object, 'metadata', 'namespace');

/** Labels; none at all when one of them is no text. */
export function labelsOf(object: unknown): Readonly<Record<string, string>> {
  const labels = fieldAt(object, 'metadata', 'labels');
  if (!isRecord(labels)) return {};
  const entries = Object.entries(labels);
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return texts.length === entries.length ? Object.fromEntries(texts) : {};
}

/** Why an object of kind Namespace is none, since Gatekeeper reads these whole; undefined when it is one. */
export function namespaceProblem(object: unknown): string | undefined {
  for (const path of [['metadata'], ['spec'], ['status'], ['metadata', 'labels']]) {
    const value = fieldAt(object, ...path) ?? {};
    if (!isRecord(value)) return `unrecognized type: ${Array.isArray(value) ? 'slice' : typeof value}`;
  }
  const labels = fieldAt(object, 'metadata', 'labels') ?? {};
  const odd = Object.values(labels).find((value) => typeof value !== 'string');
  return odd === undefined ? undefined : `cannot convert ${typeof odd} to string`;
}

export function isNamespace(object: unknown): boolean {
  const { group, kind } = gvkOf(object);
  return group === '' && kind === 'Namespace';
}
