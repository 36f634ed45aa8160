import type { Random } from '../../dev/fuzz/random.ts';
import { type Constraint, parseConstraint } from '../../src/constraints/constraint.ts';
import { exportPolicies, type PolicyExport } from '../../src/constraints/vap/export.ts';

/** A constraint of the run, in force in namespaces of its own, with its policies. */
export interface TriedConstraint {
  readonly object: { readonly spec: { readonly parameters: unknown } };
  readonly constraint: Constraint;
  readonly exported: PolicyExport;
  /** Namespaces its objects are put into; some of them it does not cover. */
  readonly namespaces: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
}

interface Wish {
  readonly kind: string;
  readonly parameters: unknown;
  readonly action: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly match?: Readonly<Record<string, unknown>>;
}

const D = `sha256:${'a'.repeat(64)}`;
const REPOS = [
  'harbor.example.com',
  'docker.io/mycompany',
  'nginx',
  'quay.io/org/app',
  'reg.io:5000/p/',
  'library/redis',
];
const MORE_REPOS = [`ubuntu@${D}`, 'ubuntu:20.14', 'team/', '[::1]:5000', 'localhost:5000/', 'docker.io/library/'];
const IMAGES = [
  'harbor.example.com/*',
  'nginx:1.27',
  'quay.io/org/*',
  'ubuntu',
  `redis@${D}`,
  'docker.io/mycompany*',
  'reg.io*',
];
const PREFIX = { 'breakwater/matching': 'prefix' };
const COMPAT = { 'breakwater/compat': 'gatekeeper' };
const GATEKEEPER = { 'breakwater/message-style': 'gatekeeper' };
const WELKIN = { 'breakwater/message-style': 'welkin-current' };
const STRICT = { 'breakwater/updates': 'strict' };
const PODS = { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] };

const WISHES: readonly Wish[] = [
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'deny' },
  { kind: 'K8sAllowedRepos', parameters: { repos: MORE_REPOS }, action: 'warn' },
  {
    kind: 'K8sAllowedRepos',
    parameters: { repos: [...REPOS, ...MORE_REPOS] },
    action: 'deny',
    annotations: GATEKEEPER,
  },
  {
    kind: 'K8sAllowedRepos',
    parameters: { repos: ['x"y', 'harbor.example.com/'] },
    action: 'deny',
    annotations: WELKIN,
  },
  { kind: 'K8sAllowedRepos', parameters: { repos: [] }, action: 'warn', match: PODS },
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'deny', annotations: PREFIX },
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'deny', annotations: COMPAT },
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'deny', annotations: STRICT, match: PODS },
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'dryrun' },
  {
    kind: 'K8sAllowedRepos',
    parameters: { repos: REPOS },
    action: 'deny',
    match: { labelSelector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] } },
  },
  {
    kind: 'K8sAllowedRepos',
    parameters: { repos: REPOS },
    action: 'deny',
    match: { labelSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['db', 'web'] }] }, ...PODS },
  },
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'deny', match: { name: 'web*' } },
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'deny', match: { name: '*-pod', ...PODS } },
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'deny', match: { source: 'Original', ...PODS } },
  { kind: 'K8sAllowedRepos', parameters: { repos: REPOS }, action: 'warn', match: { source: 'Generated' } },
  {
    kind: 'K8sAllowedRepos',
    parameters: { repos: REPOS },
    action: 'warn',
    match: { kinds: [{ apiGroups: ['apps', 'batch'], kinds: ['Deployment', 'CronJob', 'Job'] }], scope: 'Namespaced' },
  },
  {
    kind: 'K8sAllowedRepos',
    parameters: { repos: REPOS },
    action: 'deny',
    match: { namespaceSelector: { matchExpressions: [{ key: 'owner', operator: 'NotIn', values: ['operator'] }] } },
  },
  { kind: 'K8sAllowedReposv2', parameters: { allowedImages: IMAGES }, action: 'deny' },
  { kind: 'K8sAllowedReposv2', parameters: { allowedImages: [...IMAGES, 'a*b'] }, action: 'warn', annotations: PREFIX },
  { kind: 'K8sAllowedReposv2', parameters: { allowedImages: IMAGES }, action: 'deny', annotations: COMPAT },
  { kind: 'K8sDisallowedRepos', parameters: { repos: [...REPOS, 'https://x'] }, action: 'deny' },
  {
    kind: 'K8sDisallowedRepos',
    parameters: { repos: ['registry-1.docker.io/mycompany', 'quay.io:443', 'registry.hub.docker.com/library/nginx'] },
    action: 'deny',
  },
  { kind: 'K8sDisallowedRepos', parameters: { repos: REPOS }, action: 'warn', annotations: { ...PREFIX, ...WELKIN } },
  { kind: 'K8sDisallowedRepos', parameters: { repos: MORE_REPOS }, action: 'deny', annotations: COMPAT },
  { kind: 'K8sDisallowedTags', parameters: { tags: ['latest', '1'], exemptImages: IMAGES }, action: 'deny' },
  { kind: 'K8sDisallowedTags', parameters: { tags: ['latest'] }, action: 'warn', annotations: GATEKEEPER },
  {
    kind: 'K8sDisallowedTags',
    parameters: { tags: ['latest', '1'], exemptImages: IMAGES },
    action: 'deny',
    annotations: COMPAT,
  },
  { kind: 'K8sImageDigests', parameters: { exemptImages: IMAGES }, action: 'deny' },
  { kind: 'K8sImageDigests', parameters: {}, action: 'warn', annotations: GATEKEEPER },
  { kind: 'K8sImageDigests', parameters: { exemptImages: ['nginx'] }, action: 'deny', annotations: COMPAT },
];

/** The constraints of the run; each is held to namespaces of its own, so that one request is judged by one of them. */
export function triedConstraints(random: Random): TriedConstraint[] {
  return WISHES.map((wish, at) => tried(wish, `t${String(at).padStart(2, '0')}`, random));
}

/** A constraint with very many entries, for the cost limits of the API server. */
export function largeConstraint(kind: string, annotations: Record<string, string>, name: string): TriedConstraint {
  const entries = Array.from(
    { length: 1000 },
    (_, at) => `registry-${at}.example.com/team-${at % 37}/app-${at * 7919}`,
  );
  const list = kind === 'K8sAllowedReposv2' ? 'allowedImages' : 'repos';
  const parameters = { [list]: kind === 'K8sAllowedReposv2' ? entries.map((one) => `${one}*`) : entries };
  const wish = { kind, parameters, action: 'deny', annotations };
  return tried(wish, name, { under: () => 0, chance: () => false, pick: ([first]) => first as never });
}

function tried(
  { kind, parameters, action, annotations, match }: Wish,
  prefix: string,
  random: Random,
): TriedConstraint {
  // Written in several ways, so that every form of a namespace pattern is tried.
  const own = random.pick([
    { namespaces: [`${prefix}-*`] },
    { namespaces: [`${prefix}-a`, `${prefix}-b`, `*${prefix}-c`] },
    { namespaces: [`*${prefix}*`], excludedNamespaces: [`${prefix}-c`] },
    { namespaces: [`${prefix}-*`], excludedNamespaces: ['*-c', 'kube-system'] },
  ]);
  const object = {
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind,
    metadata: { name: `${prefix}-rule`, annotations: annotations ?? {} },
    spec: { enforcementAction: action, match: { ...own, ...match }, parameters },
  };
  const constraint = parseConstraint(object);
  const namespaces = [
    { name: `${prefix}-a`, labels: {} },
    { name: `${prefix}-b`, labels: { owner: 'operator' } },
    { name: `${prefix}-c`, labels: { owner: 'team' } },
  ];
  return { object, constraint, exported: exportPolicies({ constraint, parameters }), namespaces };
}
