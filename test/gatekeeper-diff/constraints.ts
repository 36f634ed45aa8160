import type { Random } from '../../dev/fuzz/random.ts';
import { NAMESPACE_NAMES, PROBE_NAMESPACE } from './surroundings.ts';
import { entry, several, tag } from './texts.ts';

/** The five kinds, each with the folder of its template in gatekeeper-library. */
export const KINDS: Readonly<Record<string, string>> = {
  K8sAllowedRepos: 'allowedrepos',
  K8sAllowedReposv2: 'allowedreposv2',
  K8sDisallowedRepos: 'disallowedrepos',
  K8sDisallowedTags: 'disallowedtags',
  K8sImageDigests: 'imagedigests',
};
const KIND_NAMES = Object.keys(KINDS);
/** Names whose order is another than that of their kinds. */
const NAMES = ['zebra', 'm-2', 'm-10', 'alpha'];
const POINTS = ['validation.gatekeeper.sh', 'audit.gatekeeper.sh', 'gator.gatekeeper.sh', 'vap.k8s.io', '*'];

export interface ConstraintObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: object;
}

/** The same constraints in every round, each with another specification: only then does a generation say what was read. */
export function constraintSet(random: Random): ConstraintObject[] {
  // A review that breaks all constraints at once tells little about each: most sets leave some idle.
  const quiet = random.pick([0.1, 0.3, 0.6]);
  return KIND_NAMES.flatMap((kind) =>
    NAMES.map((name) =>
      constraintObject(kind, `${kind.slice(3).toLowerCase()}-${name}`, constraintSpec(random, kind, quiet)),
    ),
  );
}

/** One for each kind, changed after all others: who has read it has read them. */
export function probeConstraints(round: string): ConstraintObject[] {
  return KIND_NAMES.map((kind) =>
    constraintObject(kind, probeName(kind), {
      enforcementAction: 'warn',
      match: { namespaces: [PROBE_NAMESPACE], name: `round-${round}` },
      parameters: kind === 'K8sDisallowedRepos' ? { repos: ['probe'] } : probeParameters(kind),
    }),
  );
}

export function probeName(kind: string): string {
  return `zz-probe-${kind.toLowerCase()}`;
}

function probeParameters(kind: string): object {
  if (kind === 'K8sAllowedReposv2') return { allowedImages: ['other'] };
  return kind === 'K8sAllowedRepos' ? { repos: ['other'] } : kind === 'K8sDisallowedTags' ? { tags: ['x'] } : {};
}

function constraintObject(kind: string, name: string, spec: object): ConstraintObject {
  return {
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind,
    metadata: { name, annotations: { 'breakwater/compat': 'gatekeeper' } },
    spec,
  };
}

function constraintSpec(random: Random, kind: string, quiet: number): object {
  const spec: Record<string, unknown> = { ...action(random) };
  if (random.chance(quiet)) spec['match'] = { name: 'nothing-has-this-name' };
  else if (random.chance(0.85)) spec['match'] = match(random);
  if (random.chance(0.93)) spec['parameters'] = parameters(random, kind);
  return spec;
}

function action(random: Random): object {
  const enforcementAction = random.pick(['deny', 'deny', 'warn', 'warn', 'dryrun', 'scoped', '', 'empty']);
  if (enforcementAction === 'empty') return { enforcementAction: '' };
  if (enforcementAction === '') return random.chance(0.5) ? {} : { scopedEnforcementActions: scoped(random) };
  return enforcementAction === 'scoped' || random.chance(0.1)
    ? { enforcementAction, scopedEnforcementActions: scoped(random) }
    : { enforcementAction };
}

function scoped(random: Random): object[] {
  return several(random, 3, () => ({
    action: random.pick(['deny', 'warn', 'dryrun']),
    enforcementPoints: several(random, 2, () => ({ name: random.pick(POINTS) })),
  }));
}

function parameters(random: Random, kind: string): object {
  const most = random.chance(0.1) ? 12 : 4;
  switch (kind) {
    case 'K8sAllowedReposv2':
      return maybe(random, 'allowedImages', () => several(random, most, entry));
    case 'K8sDisallowedTags':
      return {
        ...maybe(random, 'tags', () => several(random, most, tag)),
        ...(random.chance(0.4) ? { exemptImages: several(random, 3, entry) } : {}),
      };
    case 'K8sImageDigests':
      return random.chance(0.5) ? { exemptImages: several(random, most, entry) } : {};
    default:
      return maybe(random, 'repos', () => several(random, most, entry));
  }
}

function maybe(random: Random, key: string, make: () => unknown): object {
  return random.chance(0.05) ? {} : { [key]: make() };
}

function match(random: Random): object {
  const found: Record<string, unknown> = {};
  if (random.chance(0.5)) found['kinds'] = several(random, 3, kindEntry);
  if (random.chance(0.25)) found['scope'] = random.pick(['Namespaced', 'Cluster', '*', 'cluster', 'Namespace', '']);
  if (random.chance(0.3)) found['namespaces'] = several(random, 3, pattern);
  if (random.chance(0.3)) found['excludedNamespaces'] = several(random, 2, pattern);
  if (random.chance(0.25)) found['labelSelector'] = selector(random, ['app', 'tier', 'empty']);
  if (random.chance(0.25))
    found['namespaceSelector'] = selector(random, ['owner', 'stage', 'kubernetes.io/metadata.name']);
  if (random.chance(0.2))
    found['name'] = random.pick(['web-1', 'web-*', '*-1', '*eb*', 'other', '', '*', '**', 'web-']);
  if (random.chance(0.25)) found['source'] = random.pick(['All', 'Original', 'Generated']);
  return found;
}

function kindEntry(random: Random): object {
  const groups = random.pick([[''], ['*'], ['apps'], ['', 'apps', 'batch'], [], ['batch'], ['demo.io'], 'none']);
  const kinds = random.pick([['Pod'], ['*'], ['Pod', 'Deployment'], [], ['Namespace'], ['Widget'], ['pod'], 'none']);
  return { ...(groups === 'none' ? {} : { apiGroups: groups }), ...(kinds === 'none' ? {} : { kinds }) };
}

function pattern(random: Random): string {
  const name = random.pick(NAMESPACE_NAMES);
  const cut = name.slice(0, 1 + random.under(name.length));
  return random.pick([name, name, `${cut}*`, `*${name.slice(-2)}`, `*${cut.slice(-2)}*`, '*', '', '**', 'nowhere']);
}

function selector(random: Random, keys: readonly string[]): object {
  const values = ['team-a', 'team-b', 'operator', 'prod', 'Prod', 'web', 'front', '', 'shop'];
  const found: Record<string, unknown> = {};
  if (random.chance(0.4)) found['matchLabels'] = { [random.pick(keys)]: random.pick(values) };
  if (random.chance(0.6))
    found['matchExpressions'] = several(random, 2, () => {
      const operator = random.pick(['In', 'NotIn', 'Exists', 'DoesNotExist']);
      const key = random.pick(keys);
      return operator.endsWith('In')
        ? { key, operator, values: [random.pick(values), random.pick(values)] }
        : { key, operator };
    });
  return found;
}
