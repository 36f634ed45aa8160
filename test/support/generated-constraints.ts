import { CONSTRAINT_KINDS } from '../../src/constraints/kinds/kinds.ts';
import type { Random } from './random.ts';

const ENTRIES = [
  'harbor.example.com',
  'harbor.example.com/',
  'docker.io/library/',
  'nginx',
  'nginx*',
  'openpolicyagent/',
  'openpolicyagent/*',
  '*',
  '',
  'harbor.example.com/team/app:v1',
  'latest',
  '1.27',
  'v1',
  'quo"ted',
];

/** A constraint, now and then one that its template refuses. */
export function generateConstraint(random: Random, kind: string): Record<string, unknown> {
  const odd = random.odd(0.2) ? random.between(0, 6) : -1;
  const spec: Record<string, unknown> = {
    ...(random.chance(0.75) ? { match: generateMatch(random) } : {}),
    ...(random.chance(0.93) ? { parameters: generateParameters(random, kind) } : {}),
    ...generateActions(random),
    ...(odd === 0 ? { unknown: 1 } : {}),
  };
  return {
    apiVersion: `constraints.gatekeeper.sh/${odd === 1 ? 'v1' : random.chance(0.1) ? 'v1alpha1' : 'v1beta1'}`,
    kind: odd === 2 ? random.pick(CONSTRAINT_KINDS) : kind,
    metadata: { name: odd === 3 ? 'Not A Name' : odd === 4 ? 'n'.repeat(70) : random.pick(['rule', 'a.b', 'x-1']) },
    ...(odd === 5 ? {} : { spec }),
  };
}

function generateParameters(random: Random, kind: string): unknown {
  const entries = () => random.some(ENTRIES, 3);
  const odd = random.odd(0.15);
  const wrong = random.pick([null, 'text', [1], { a: 1 }, 5, [null], true]);
  const list = odd ? wrong : entries();
  const extra = random.odd(0.05) ? { unknown: ['x'] } : {};
  switch (kind) {
    case 'K8sAllowedReposv2':
      return { allowedImages: list, ...extra };
    case 'K8sDisallowedTags':
      return {
        ...(random.chance(0.9) ? { tags: list } : {}),
        ...(random.chance(0.4) ? { exemptImages: entries() } : {}),
        ...extra,
      };
    case 'K8sImageDigests':
      return { ...(random.chance(0.5) ? { exemptImages: list } : {}), ...extra };
    default:
      return { ...(random.chance(0.95) ? { repos: list } : {}), ...extra };
  }
}

function generateActions(random: Random): Record<string, unknown> {
  const points = ['*', 'gator.gatekeeper.sh', 'audit.gatekeeper.sh', 'validation.gatekeeper.sh', 'vap.k8s.io'];
  const action = random.pick([undefined, undefined, 'deny', 'warn', 'dryrun', 'scoped', 'scoped', 'odd', '']);
  if (action === undefined) return {};
  if (action !== 'scoped' || random.odd(0.1)) return { enforcementAction: action };
  const scopedEnforcementActions = Array.from({ length: random.between(0, 3) }, () => ({
    action: random.pick(['deny', 'warn', 'dryrun']),
    enforcementPoints: random.some(points, 2).map((name) => ({ name })),
  }));
  return { enforcementAction: action, scopedEnforcementActions };
}

function generateSelector(random: Random): unknown {
  if (random.odd(0.1)) return random.pick<unknown>([null, 'text', { matchLabels: { a: 1 } }, { odd: 1 }, {}]);
  const operator = random.pick(['In', 'NotIn', 'Exists', 'DoesNotExist']);
  const right =
    operator === 'In' || operator === 'NotIn' ? { values: ['web', ...random.some(['db', 'operator'], 2)] } : {};
  const wrong = random.some(['web', 'db', 'operator'], 2);
  const expression = {
    key: random.odd(0.1) ? 'not a key' : random.pick(['app', 'owner']),
    operator: random.odd(0.1) ? 'Odd' : operator,
    ...(random.odd(0.2) ? { values: wrong } : right),
  };
  return {
    ...(random.chance(0.5) ? { matchLabels: { app: random.pick(['web', 'db']) } } : {}),
    ...(random.chance(0.5) ? { matchExpressions: [expression] } : {}),
  };
}

function generateMatch(random: Random): unknown {
  const patterns = () =>
    random.odd(0.1) ? ['Odd_Pattern'] : random.some(['default', 'prod', 'kube-*', '*-system', '*a*', 'team-a', '*'], 2);
  const kinds = ['Pod', 'Deployment', '*', 'Namespace', 'Widget'];
  return {
    ...(random.chance(0.6)
      ? {
          kinds: Array.from({ length: random.between(0, 2) }, () => ({
            ...(random.chance(0.9) ? { apiGroups: random.some(['', 'apps', '*', 'example.com'], 2) } : {}),
            ...(random.chance(0.9) ? { kinds: random.some(kinds, 2) } : {}),
          })),
        }
      : {}),
    ...(random.chance(0.15) ? { scope: random.pick(['Cluster', 'Namespaced', '*', 'cluster']) } : {}),
    ...(random.chance(0.15) ? { namespaces: patterns() } : {}),
    ...(random.chance(0.15) ? { excludedNamespaces: patterns() } : {}),
    ...(random.chance(0.15) ? { labelSelector: generateSelector(random) } : {}),
    ...(random.chance(0.15) ? { namespaceSelector: generateSelector(random) } : {}),
    ...(random.chance(0.12) ? { name: random.pick(['pod', 'po*', '*od', '*o*', 'other', '*', '']) } : {}),
    ...(random.chance(0.15) ? { source: random.odd(0.1) ? 'Odd' : random.pick(['All', 'Original', 'Generated']) } : {}),
  };
}
