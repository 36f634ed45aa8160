import type { Constraint } from '../constraint.ts';
import { IGNORE_LABEL } from '../default-match.ts';
import type { LabelSelector } from '../selector.ts';
import { allOf, anyOf, celList, celString } from './cel.ts';

interface PolicyKind {
  readonly group: string;
  readonly kind: string;
  readonly resources: readonly string[];
  /** CEL for what its pods are made of; undefined for a pod. */
  readonly template?: string;
}

const TEMPLATE = 'spec.template';
/** The built-in kinds that carry images, in the versions a current API server stores them. */
const POLICY_KINDS: readonly PolicyKind[] = [
  { group: '', kind: 'Pod', resources: ['pods', 'pods/ephemeralcontainers'] },
  { group: '', kind: 'PodTemplate', resources: ['podtemplates'], template: 'template' },
  { group: '', kind: 'ReplicationController', resources: ['replicationcontrollers'], template: TEMPLATE },
  { group: 'apps', kind: 'ReplicaSet', resources: ['replicasets'], template: TEMPLATE },
  { group: 'apps', kind: 'Deployment', resources: ['deployments'], template: TEMPLATE },
  { group: 'apps', kind: 'StatefulSet', resources: ['statefulsets'], template: TEMPLATE },
  { group: 'apps', kind: 'DaemonSet', resources: ['daemonsets'], template: TEMPLATE },
  { group: 'batch', kind: 'Job', resources: ['jobs'], template: TEMPLATE },
  { group: 'batch', kind: 'CronJob', resources: ['cronjobs'], template: 'spec.jobTemplate.spec.template' },
];

export interface PolicyMatch {
  readonly resourceRules: readonly object[];
  readonly namespaceSelector: object;
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
}

export interface PolicyMatchInput {
  readonly constraint: Constraint;
  readonly operations: readonly ('CREATE' | 'UPDATE')[];
  readonly denies: boolean;
  /** Namespace patterns left out for every constraint: Gatekeeper's `Config`. */
  readonly exemptNamespaces: readonly string[];
}

/** `spec.match` of a constraint for a policy; undefined when it covers no built-in kind that carries images. */
export function policyMatch({
  constraint,
  operations,
  denies,
  exemptNamespaces,
}: PolicyMatchInput): PolicyMatch | undefined {
  const { match, options } = constraint;
  if (match.scope === 'Cluster') return undefined;
  const source = match.source ?? '';
  const original = source !== 'Generated';
  // Templates are judged as the pods they make; Gatekeeper's library reads pods only.
  const made = !options.compat && source !== 'Original' && covers(match.kinds, '', 'Pod');
  const kinds = POLICY_KINDS.filter((one) => !options.compat || one.kind === 'Pod')
    .map((one) => ({ ...one, itself: original && covers(match.kinds, one.group, one.kind) }))
    .filter(({ itself, template }) => itself || (made && template !== undefined));
  if (kinds.length === 0) return undefined;
  const subjects = kinds.map(({ kind, itself, template }) => {
    const ways = [
      ...(itself ? [subject(constraint, 'object'), `oldObject != null && (${subject(constraint, 'oldObject')})`] : []),
      ...(made && template !== undefined ? [madeSubject(constraint, template)] : []),
    ];
    return { kind, when: anyOf(ways) };
  });
  const always = subjects.filter(({ when }) => when === 'true' || when.startsWith('true')).map(({ kind }) => kind);
  const sometimes = subjects.filter(({ kind }) => !always.includes(kind));
  const coverage =
    sometimes.length === 0
      ? 'true'
      : anyOf([
          ...(always.length === 0 ? [] : [`object.kind in ${celList(always)}`]),
          ...sometimes.map(({ kind, when }) => `object.kind == ${celString(kind)} && (${when})`),
        ]);
  const conditions = [
    { name: 'namespace', expression: namespaceExpression(constraint, exemptNamespaces) },
    { name: 'covered', expression: coverage },
    { name: 'no-mirror-pod', expression: denies && !options.compat ? NO_MIRROR_POD : 'true' },
    // What is on its way out goes; Gatekeeper judges it like every update.
    { name: 'stays', expression: options.compat ? 'true' : '!has(object.metadata.deletionTimestamp)' },
  ];
  return {
    resourceRules: [...Map.groupBy(kinds, ({ group }) => group)].map(([group, list]) => ({
      apiGroups: [group],
      apiVersions: ['v1'],
      operations,
      resources: list.flatMap(({ resources }) => resources),
      scope: 'Namespaced',
    })),
    namespaceSelector: namespaceSelector(match.namespaceSelector),
    matchConditions: conditions.filter(({ expression }) => expression !== 'true'),
  };
}

/** A node shows a static pod that it runs already: to deny that stops nothing and only hides it. */
const NO_MIRROR_POD =
  '!(object.kind == "Pod" && has(object.metadata.annotations) && ' +
  '"kubernetes.io/config.mirror" in object.metadata.annotations && has(dyn(object).spec.nodeName) && ' +
  'request.userInfo.username == "system:node:" + string(dyn(object).spec.nodeName) && ' +
  'has(request.userInfo.groups) && "system:nodes" in request.userInfo.groups)';

function covers(kinds: Constraint['match']['kinds'], group: string, kind: string): boolean {
  if (!kinds || kinds.length === 0) return true;
  return kinds.some((entry) => lists(entry.apiGroups, group) && lists(entry.kinds, kind));
}

function lists(list: readonly string[] | null | undefined, value: string): boolean {
  return !list || list.length === 0 || list.includes('*') || list.includes(value);
}

/** Namespaces with the ignore label are never asked about, as with the webhook. */
function namespaceSelector(selector: LabelSelector | null | undefined): object {
  const ignore = { key: IGNORE_LABEL, operator: 'DoesNotExist' };
  const { matchLabels, matchExpressions } = selector ?? {};
  return { ...(matchLabels ? { matchLabels } : {}), matchExpressions: [...(matchExpressions ?? []), ignore] };
}

function namespaceExpression({ match }: Constraint, exemptNamespaces: readonly string[]): string {
  const included = match.namespaces ?? [];
  const excluded = [...(match.excludedNamespaces ?? []), ...exemptNamespaces];
  return allOf([
    included.length === 0 ? 'true' : wildcards(included, 'request.namespace'),
    excluded.length === 0 ? 'true' : `!(${wildcards(excluded, 'request.namespace')})`,
  ]);
}

/** `wildcardMatches` for a list of patterns. */
function wildcards(patterns: readonly string[], value: string): string {
  const exact = patterns.filter((one) => !one.startsWith('*') && !one.endsWith('*'));
  const others = patterns.filter((one) => !exact.includes(one)).map((one) => wildcard(one, value));
  return anyOf([...(exact.length === 0 ? [] : [`${value} in ${celList(exact)}`]), ...others]);
}

function wildcard(pattern: string, value: string): string {
  const [start, end] = [pattern.startsWith('*'), pattern.endsWith('*')];
  if (start && end) return `${value}.contains(${celString(pattern.slice(1, -1))})`;
  if (start) return `${value}.endsWith(${celString(pattern.slice(1))})`;
  return end ? `${value}.startsWith(${celString(pattern.slice(0, -1))})` : `${value} == ${celString(pattern)}`;
}

/** The object itself, or what it was. */
function subject({ match }: Constraint, object: string): string {
  const { name, labelSelector } = match;
  return allOf([
    labels(labelSelector, `${object}.metadata`),
    name
      ? anyOf([
          wildcard(name, `${object}.metadata.name`),
          name.endsWith('*')
            ? `has(${object}.metadata.generateName) && ${wildcard(name, `${object}.metadata.generateName`)}`
            : 'false',
        ])
      : 'true',
  ]);
}

/** The pod that a template makes: its labels, and a name made of the workload's. */
function madeSubject({ match }: Constraint, template: string): string {
  const { name, labelSelector } = match;
  const labelled = labels(labelSelector, `dyn(object).${template}.metadata`, [`has(dyn(object).${template}.metadata)`]);
  return allOf([labelled, name ? wildcard(name, '(object.metadata.name + "-pod").lowerAscii()') : 'true']);
}

/** A label selector on `metadata.labels`; what is missing on the way has no labels. */
function labels(selector: LabelSelector | null | undefined, metadata: string, exists: readonly string[] = []): string {
  const has = allOf([...exists, `has(${metadata}.labels)`]);
  const label = (key: string) => `${metadata}.labels[${celString(key)}]`;
  const present = (key: string) => `${has} && ${celString(key)} in ${metadata}.labels`;
  const tests = Object.entries(selector?.matchLabels ?? {}).map(
    ([key, value]) => `${present(key)} && ${label(key)} == ${celString(value)}`,
  );
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    const listed = `${present(key)} && ${label(key)} in ${celList(values ?? [])}`;
    if (operator === 'In') tests.push(listed);
    if (operator === 'NotIn') tests.push(`!(${listed})`);
    if (operator === 'Exists') tests.push(present(key));
    if (operator === 'DoesNotExist') tests.push(`!(${present(key)})`);
  }
  return allOf(tests);
}
