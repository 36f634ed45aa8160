import type { Random } from '../../dev/fuzz/random.ts';

export interface Workload {
  readonly path: string;
  readonly object: WorkloadObject;
}

export interface WorkloadObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Record<string, unknown>;
  readonly [field: string]: unknown;
}

const D = `sha256:${'a'.repeat(64)}`;
const E = `sha512:${'b'.repeat(128)}`;
const NAMES = [
  'nginx',
  'docker.io/nginx',
  'library/nginx',
  'index.docker.io/library/nginx',
  'nginx-evil',
  'nginx/evil',
  'harbor.example.com/team/app',
  'HARBOR.example.com/team/app',
  'harbor.example.com.evil.io/team/app',
  'harbor.example.com:5000/app',
  'harbor.example.com',
  'mycompany/x',
  'docker.io/mycompany/x',
  'docker.io/mycompany',
  'mycompanyevil/x',
  'quay.io/org/app',
  'quay.io/org/app/sub',
  'quay.io/org/app-evil',
  'reg.io:5000/p/x',
  'reg.io:5000/p',
  'reg.io/p/x',
  'redis',
  'library/redis/x',
  'ubuntu',
  'team/x',
  'team',
  '[::1]:5000/x',
  'localhost:5000/x',
  'localhost/x',
  'quay.io:443/org/app',
  'QUAY.io:0443/org/app',
  'registry-1.docker.io/library/nginx',
  'registry-1.docker.io/nginx',
  'registry.hub.docker.com:443/mycompany/x',
  'docker.io:443/mycompany/x',
  'library/library/nginx',
  'Upper/x',
  'UPPER.io/x',
  'x__y/a.b-c',
];
const TAGS = ['', '', ':1', ':latest', ':1.27', ':20.14', ':a_B.c-9'];
const DIGESTS = ['', '', '', `@${D}`, `@${E}`, '@sha256:1', '@md5:abc'];
/** Texts that are no references, which the API server takes all the same. */
const BROKEN = [
  'Nginx',
  'x:',
  'a//b',
  '/x',
  'x/',
  'x@',
  'a b',
  'a"b',
  'a\\b',
  'a\nb',
  'a\u0001b',
  'a\u007f\u0085b',
  'a\u202eb',
  'bücher/x',
  '图像',
  'x:1:2',
  'https://harbor.example.com/x',
  'f'.repeat(64),
  `harbor.example.com/${'a'.repeat(260)}`,
  `harbor.example.com/${'b/'.repeat(240)}c`,
  `x${'y'.repeat(1100)}`,
  '../x',
  'harbor.example.com/../x',
  '-x/y',
  'x:-1',
  '*',
];

/** An image text, seldom one that is no reference. */
export function image(random: Random): string {
  if (random.chance(0.15)) return random.pick(BROKEN);
  return `${random.pick(NAMES)}${random.pick(TAGS)}${random.pick(DIGESTS)}`;
}

function containers(random: Random, prefix: string, most: number): { name: string; image: string }[] {
  return Array.from({ length: random.under(most + 1) }, (_, at) => ({ name: `${prefix}${at}`, image: image(random) }));
}

/** What is left out is derived from the image when a pod is made, and may then not change. */
function pulled(list: readonly object[]): object[] {
  return list.map((one) => ({ ...one, imagePullPolicy: 'IfNotPresent' }));
}

/** A pod specification with a few images in every place that a template can have. */
export function podSpec(random: Random): Record<string, unknown> {
  const volumes = containers(random, 'v', 1).map(({ name, image: reference }) => ({ name, image: { reference } }));
  const init = containers(random, 'i', 2);
  return {
    containers: pulled([{ name: 'main', image: image(random) }, ...containers(random, 'c', 2)]),
    ...(init.length === 0 ? {} : { initContainers: pulled(init) }),
    ...(volumes.length === 0 ? {} : { volumes }),
  };
}

const KINDS = [
  'Pod',
  'Pod',
  'Pod',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
] as const;
const OTHER_KINDS = ['Job', 'CronJob', 'PodTemplate'] as const;
export const ALL_KINDS = [...KINDS, ...OTHER_KINDS];
export type Kind = (typeof ALL_KINDS)[number];

export interface WorkloadWish {
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string;
  readonly spec: Record<string, unknown>;
  readonly labels: Readonly<Record<string, string>>;
  readonly podLabels: Readonly<Record<string, string>>;
}

/** A workload as somebody would send it, and where to. */
export function workload({ kind, name, namespace, spec, labels, podLabels }: WorkloadWish): Workload {
  const metadata = { name, namespace, labels: { ...labels } };
  const once = { ...spec, restartPolicy: 'Never' };
  // Workloads select their pods by a label of their own.
  const selected = { ...podLabels, of: name };
  const template = { metadata: { labels: selected }, spec };
  const at = (base: string, plural: string) => `${base}/namespaces/${namespace}/${plural}`;
  const make = (apiVersion: string, path: string, more: Record<string, unknown>): Workload => ({
    path,
    object: { apiVersion, kind, metadata, ...more },
  });
  const apps = (plural: string, more: Record<string, unknown> = {}) =>
    make('apps/v1', at('/apis/apps/v1', plural), {
      spec: { selector: { matchLabels: { of: name } }, template, ...more },
    });
  switch (kind) {
    case 'Pod':
      return make('v1', at('/api/v1', 'pods'), { spec });
    case 'PodTemplate':
      return make('v1', at('/api/v1', 'podtemplates'), { template: { metadata: { labels: podLabels }, spec } });
    case 'ReplicationController':
      return make('v1', at('/api/v1', 'replicationcontrollers'), { spec: { selector: { of: name }, template } });
    case 'Deployment':
      return apps('deployments');
    case 'StatefulSet':
      return apps('statefulsets', { serviceName: 'x' });
    case 'DaemonSet':
      return apps('daemonsets');
    case 'ReplicaSet':
      return apps('replicasets');
    case 'Job':
      return make('batch/v1', at('/apis/batch/v1', 'jobs'), {
        spec: { template: { metadata: { labels: podLabels }, spec: once } },
      });
    case 'CronJob':
      return make('batch/v1', at('/apis/batch/v1', 'cronjobs'), {
        spec: {
          schedule: '0 0 * * *',
          jobTemplate: { spec: { template: { metadata: { labels: podLabels }, spec: once } } },
        },
      });
  }
}

export function labels(random: Random): Record<string, string> {
  return {
    ...(random.chance(0.6) ? { app: random.pick(['web', 'db', 'x']) } : {}),
    ...(random.chance(0.5) ? { tier: 'front' } : {}),
  };
}
