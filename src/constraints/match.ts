import { z } from 'zod';
import { groupOf } from './kubernetes-object.ts';
import { compileSelector, selectorSchema } from './selector.ts';
import { wildcardMatches } from './wildcard.ts';

const strings = z.array(z.string());

/** `spec.match` of a Gatekeeper constraint; null stands for absent, as in Go. */
export const matchSchema = z.looseObject({
  kinds: z.array(z.looseObject({ apiGroups: strings.nullish(), kinds: strings.nullish() })).nullish(),
  scope: z.string().nullish(),
  namespaces: strings.nullish(),
  excludedNamespaces: strings.nullish(),
  labelSelector: selectorSchema.nullish(),
  namespaceSelector: selectorSchema.nullish(),
  name: z.string().nullish(),
  source: z.string().nullish(),
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
  /** Generated = what an expansion or a template makes of another object. */
  readonly source: 'Original' | 'Generated';
}

type Labels = Readonly<Record<string, string>>;

/** Labels of a namespace, undefined when it is not known. Asked only where an answer depends on it. */
export type NamespaceLabels = (name: string) => Labels | undefined;

/** `unknown-namespace`: a selector asks for the labels of a namespace that nobody knows; neither a hit nor a miss. */
export type MatchResult = boolean | 'unknown-namespace';

export interface CompiledMatch {
  matches(subject: MatchSubject, namespaceLabels: NamespaceLabels): MatchResult;
  readonly problems: readonly string[];
}

const SOURCES = new Set(['', 'All', 'Original', 'Generated']);

/**
 * Prepares `spec.match` for many questions. All matchers that are present must pass (Gatekeeper's rules, reference: its
 * "match" documentation): an absent or empty list passes, versions are never compared.
 */
export function compileMatch(match: ConstraintMatch): CompiledMatch {
  const kinds = compileKinds(match.kinds ?? []);
  const namespaces = match.namespaces ?? [];
  const excluded = match.excludedNamespaces ?? [];
  const labelSelector = match.labelSelector && compileSelector(match.labelSelector);
  const namespaceSelector = match.namespaceSelector && compileSelector(match.namespaceSelector);
  const { scope, name } = match;
  const source = match.source ?? '';
  const problems = [...(labelSelector?.problems ?? []), ...(namespaceSelector?.problems ?? [])];
  if (!SOURCES.has(source)) problems.push(`match.source "${source}" is not known; use All, Original or Generated`);

  function matches(subject: MatchSubject, namespaceLabels: NamespaceLabels): MatchResult {
    if (!kinds(subject)) return false;
    const isNamespace = subject.kind === 'Namespace' && groupOf(subject.apiVersion) === '';
    const clusterWide = isNamespace || subject.namespace === '';
    if (scope === 'Cluster' && !clusterWide) return false;
    if (scope === 'Namespaced' && clusterWide) return false;
    const namespace = isNamespace ? subject.name : subject.namespace;
    if (namespace !== '') {
      if (namespaces.length > 0 && !namespaces.some((pattern) => wildcardMatches(pattern, namespace))) return false;
      if (excluded.some((pattern) => wildcardMatches(pattern, namespace))) return false;
    }
    if (labelSelector && !labelSelector.selects(subject.labels)) return false;
    if ((source === 'Original' || source === 'Generated') && source !== subject.source) return false;
    if (name && !nameMatches(name, subject)) return false;
    if (!namespaceSelector) return true;
    if (isNamespace) return namespaceSelector.selects(subject.labels);
    if (subject.namespace === '') return true;
    const labels = namespaceLabels(subject.namespace);
    return labels === undefined ? 'unknown-namespace' : namespaceSelector.selects(labels);
  }
  return { matches, problems };
}

function compileKinds(kinds: NonNullable<ConstraintMatch['kinds']>): (subject: MatchSubject) => boolean {
  if (kinds.length === 0) return () => true;
  const entries = kinds.map((entry) => ({ groups: anyOf(entry.apiGroups), kinds: anyOf(entry.kinds) }));
  return ({ apiVersion, kind }) => {
    const group = groupOf(apiVersion);
    return entries.some((entry) => (entry.groups?.has(group) ?? true) && (entry.kinds?.has(kind) ?? true));
  };
}

/** Undefined = everything. */
function anyOf(list: readonly string[] | null | undefined): ReadonlySet<string> | undefined {
  return !list || list.length === 0 || list.includes('*') ? undefined : new Set(list);
}

function nameMatches(pattern: string, { name, generateName }: MatchSubject): boolean {
  if (wildcardMatches(pattern, name)) return true;
  // A generated name continues after generateName: only a pattern open at its end can speak of it.
  return generateName !== undefined && pattern.endsWith('*') && wildcardMatches(pattern, generateName);
}
