import { z } from 'zod';
import { groupOf } from './kubernetes-object.ts';

const strings = z.array(z.string());
const selectorSchema = z.looseObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.looseObject({ key: z.string(), operator: z.string(), values: strings.optional() }))
    .optional(),
});
export type LabelSelector = z.infer<typeof selectorSchema>;

/** `spec.match` of a Gatekeeper constraint. */
export const matchSchema = z.looseObject({
  kinds: z.array(z.looseObject({ apiGroups: strings.optional(), kinds: strings.optional() })).optional(),
  scope: z.string().optional(),
  namespaces: strings.optional(),
  excludedNamespaces: strings.optional(),
  labelSelector: selectorSchema.optional(),
  namespaceSelector: selectorSchema.optional(),
  name: z.string().optional(),
  source: z.string().optional(),
});
export type ConstraintMatch = z.infer<typeof matchSchema>;

/** The object as the matchers see it. */
export interface MatchSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly generateName?: string | undefined;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

type Labels = Readonly<Record<string, string>>;

/**
 * Does a constraint's `spec.match` cover an object? All matchers that are present must pass. A namespace whose labels
 * are not known counts as covered by a `namespaceSelector`: a question that cannot be answered must not open the gate.
 */
export function matches(match: ConstraintMatch, subject: MatchSubject, namespaceLabels: Labels | undefined): boolean {
  return (
    kindMatches(match, subject) &&
    scopeMatches(match.scope, subject) &&
    namespacesMatch(match, subject) &&
    (match.labelSelector === undefined || selects(match.labelSelector, subject.labels)) &&
    namespaceSelected(match.namespaceSelector, subject, namespaceLabels) &&
    nameMatches(match.name, subject) &&
    (match.source !== 'Generated' || subject.kind !== 'Pod')
  );
}

function kindMatches({ kinds }: ConstraintMatch, { apiVersion, kind }: MatchSubject): boolean {
  if (kinds === undefined || kinds.length === 0) return true;
  return kinds.some((entry) => covers(entry.apiGroups, groupOf(apiVersion)) && covers(entry.kinds, kind));
}

function covers(list: readonly string[] | undefined, value: string): boolean {
  return list === undefined || list.length === 0 || list.includes('*') || list.includes(value);
}

function scopeMatches(scope: string | undefined, subject: MatchSubject): boolean {
  const clusterWide = isNamespace(subject) || subject.namespace === '';
  if (scope === 'Cluster') return clusterWide;
  return scope !== 'Namespaced' || !clusterWide;
}

function namespacesMatch({ namespaces, excludedNamespaces }: ConstraintMatch, subject: MatchSubject): boolean {
  const namespace = isNamespace(subject) ? subject.name : subject.namespace;
  if (namespace === '') return true;
  const included = namespaces === undefined || namespaces.some((pattern) => wildcardMatches(pattern, namespace));
  return included && !(excludedNamespaces ?? []).some((pattern) => wildcardMatches(pattern, namespace));
}

function namespaceSelected(
  selector: LabelSelector | undefined,
  subject: MatchSubject,
  namespaceLabels: Labels | undefined,
): boolean {
  if (selector === undefined) return true;
  if (isNamespace(subject)) return selects(selector, subject.labels);
  return subject.namespace === '' || namespaceLabels === undefined || selects(selector, namespaceLabels);
}

function nameMatches(pattern: string | undefined, { name, generateName }: MatchSubject): boolean {
  if (pattern === undefined || pattern === '' || wildcardMatches(pattern, name)) return true;
  // A generated name continues after generateName: only a pattern open at its end can speak of it.
  return generateName !== undefined && pattern.endsWith('*') && wildcardMatches(pattern, generateName);
}

/** Gatekeeper's wildcards: exact, `pre*`, `*suf`, `*mid*`. */
export function wildcardMatches(pattern: string, value: string): boolean {
  const start = pattern.startsWith('*');
  const end = pattern.endsWith('*');
  if (start && end) return value.includes(pattern.slice(1, -1));
  if (start) return value.endsWith(pattern.slice(1));
  return end ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

/** Kubernetes label selector: matchLabels and matchExpressions, all must hold; an unknown operator selects (fails closed). */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
  return equal && (selector.matchExpressions ?? []).every((expression) => expressionHolds(expression, labels));
}

function expressionHolds(
  { key, operator, values = [] }: { key: string; operator: string; values?: string[] | undefined },
  labels: Labels,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return true;
  }
}

function isNamespace(subject: MatchSubject): boolean {
  return subject.kind === 'Namespace' && groupOf(subject.apiVersion) === '';
}
