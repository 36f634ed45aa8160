import { createRandom, type Random } from '../../dev/fuzz/random.ts';

/** A constraint as both read it, in force in one namespace. */
export interface LintedCase {
  readonly namespace: string;
  readonly object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly spec: Readonly<Record<string, unknown>>;
  };
}

const HOSTS = ['harbor.example.com', 'reg.io', 'reg.io:5000', 'docker.io', 'quay.io', 'localhost:5000', 'Reg.io'];
const PATHS = ['', '/', '/team', '/team/', '/team/app', '/team/app:1', '/library', '/library/', '/team/app@sha256:1'];
const SHORT = [
  'nginx',
  'team/',
  'team/app',
  'nginx:1',
  'library/nginx',
  'docker.io/nginx',
  '',
  'x y',
  'https://reg.io',
  '*',
];
const TAGS = ['latest', '1', ':latest', '', 'a/b', 'v*'];
const KINDS = [
  'K8sAllowedRepos',
  'K8sAllowedRepos',
  'K8sAllowedReposv2',
  'K8sDisallowedRepos',
  'K8sDisallowedTags',
  'K8sImageDigests',
];

/** `count` constraints of all kinds with entries as people write them. */
export function lintedCases(seed: number, count: number): LintedCase[] {
  return Array.from({ length: count }, (_, at) => {
    const random = createRandom(seed, at);
    const namespace = `lint-${at}`;
    const kind = random.pick(KINDS);
    return {
      namespace,
      object: {
        apiVersion: 'constraints.gatekeeper.sh/v1beta1',
        kind,
        metadata: { name: namespace },
        spec: {
          enforcementAction: 'deny',
          match: { kinds: [{ apiGroups: [''], kinds: ['Pod'] }], namespaces: [namespace] },
          parameters: parametersOf(kind, random),
        },
      },
    };
  });
}

function parametersOf(kind: string, random: Random): Record<string, unknown> {
  const some = (make: () => string, most: number) => Array.from({ length: 1 + random.under(most) }, make);
  const entry = () => (random.chance(0.4) ? random.pick(SHORT) : `${random.pick(HOSTS)}${random.pick(PATHS)}`);
  const pattern = () => (random.chance(0.6) ? `${entry()}*` : entry());
  switch (kind) {
    case 'K8sAllowedReposv2':
      return { allowedImages: some(pattern, 3) };
    case 'K8sDisallowedTags':
      return { tags: some(() => random.pick(TAGS), 2), exemptImages: some(pattern, 2) };
    case 'K8sImageDigests':
      return { exemptImages: some(pattern, 2) };
    default:
      return { repos: some(entry, 3) };
  }
}
