import { goQuote } from '../../constraints/go-quote.ts';
import { fieldAt, isRecord, textAt } from '../../platform/json-object.ts';
import { gvkOf, isNamespace, labelsOf, nameOf, namespaceOf } from '../object.ts';

/** A namespace as far as matching asks of it. */
export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type Source = 'Original' | 'Generated';

export interface Matchable {
  readonly object: unknown;
  /** The object's namespace where it is known; gator's `test` gives cluster-scoped objects one without a name. */
  readonly namespace: NamespaceFacts | undefined;
  readonly source: Source;
}

/** Thrown when it cannot be said whether a constraint covers an object: Gatekeeper takes that for a violation. */
export class MatchError extends Error {}

/** Does `spec.match` of a constraint that passed its schema cover an object? Gatekeeper's rules, quirks and all. */
export function gatekeeperMatches(match: unknown, target: Matchable): boolean {
  return (
    kindsMatch(match, target) &&
    scopeMatches(match, target) &&
    namespacesMatch(match, target) &&
    labelSelectorMatches(match, target) &&
    namespaceSelectorMatches(match, target) &&
    nameMatches(match, target) &&
    sourceMatches(match, target)
  );
}

function listAt(object: unknown, ...path: string[]): readonly unknown[] {
  const value = fieldAt(object, ...path);
  return Array.isArray(value) ? value : [];
}

function covers(list: readonly unknown[], value: string): boolean {
  return list.length === 0 || list.includes('*') || list.includes(value);
}

function kindsMatch(match: unknown, { object }: Matchable): boolean {
  const kinds = listAt(match, 'kinds');
  if (kinds.length === 0) return true;
  const { group, kind } = gvkOf(object);
  return kinds.some((one) => covers(listAt(one, 'kinds'), kind) && covers(listAt(one, 'apiGroups'), group));
}

function scopeMatches(match: unknown, { object, namespace }: Matchable): boolean {
  const namespaced = namespaceOf(object) !== '' || namespace !== undefined;
  switch (textAt(match, 'scope')) {
    case 'Cluster':
      return isNamespace(object) || !namespaced;
    case 'Namespaced':
      return !isNamespace(object) && namespaced;
    default:
      return true;
  }
}

function namespacesMatch(match: unknown, { object, namespace }: Matchable): boolean {
  const own = isNamespace(object) ? nameOf(object) : (namespace?.name ?? (namespaceOf(object) || undefined));
  if (own === undefined) return true;
  const hit = (pattern: unknown) => wildcardMatches(String(pattern), own);
  const wanted = listAt(match, 'namespaces');
  return (wanted.length === 0 || wanted.some(hit)) && !listAt(match, 'excludedNamespaces').some(hit);
}

function labelSelectorMatches(match: unknown, { object }: Matchable): boolean {
  const selector = fieldAt(match, 'labelSelector');
  return !isRecord(selector) || selects(selector, labelsOf(object));
}

function namespaceSelectorMatches(match: unknown, { object, namespace }: Matchable): boolean {
  const selector = fieldAt(match, 'namespaceSelector');
  if (!isRecord(selector)) return true;
  if (isNamespace(object)) return selects(selector, labelsOf(object));
  if (namespace === undefined && namespaceOf(object) === '') return true;
  if (namespace === undefined) {
    throw new MatchError('namespace selector for namespace-scoped object but missing Namespace');
  }
  return selects(selector, namespace.labels);
}

function nameMatches(match: unknown, { object }: Matchable): boolean {
  const pattern = textAt(match, 'name');
  if (pattern === '' || wildcardMatches(pattern, nameOf(object))) return true;
  // What is generated goes on after generateName: only a pattern open at its end can speak of it.
  return pattern.endsWith('*') && wildcardMatches(pattern, textAt(object, 'metadata', 'generateName'));
}

function sourceMatches(match: unknown, { source }: Matchable): boolean {
  const wanted = textAt(match, 'source') || 'All';
  if (wanted !== 'All' && wanted !== 'Original' && wanted !== 'Generated') {
    throw new MatchError(`invalid source field ${goQuote(wanted)}`);
  }
  return wanted === 'All' || wanted === source;
}

/** Exact, `pre*`, `*suf` or `*mid*`. */
function wildcardMatches(pattern: string, value: string): boolean {
  const start = pattern.startsWith('*');
  const end = pattern.endsWith('*');
  if (start && end) return value.includes(pattern.slice(1, pattern.length > 1 ? -1 : undefined));
  if (start) return value.endsWith(pattern.slice(1));
  return end ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

function selects(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const wanted = fieldAt(selector, 'matchLabels');
  const equal = Object.entries(isRecord(wanted) ? wanted : {}).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
  return equal && listAt(selector, 'matchExpressions').every((expression) => holds(expression, labels));
}

function holds(expression: unknown, labels: Readonly<Record<string, string>>): boolean {
  const key = textAt(expression, 'key');
  const has = Object.hasOwn(labels, key);
  const listed = has && listAt(expression, 'values').includes(labels[key]);
  switch (textAt(expression, 'operator')) {
    case 'In':
      return listed;
    case 'NotIn':
      return !listed;
    case 'Exists':
      return has;
    default:
      return !has;
  }
}
