import type { Random } from './random.ts';

const IMAGES = [
  'nginx',
  'nginx:latest',
  'nginx:1.27',
  'docker.io/library/nginx:1.27',
  'harbor.example.com/team/app:v1',
  'harbor.example.com.evil.io/x',
  'harbor.example.com:5000/team/app',
  'localhost:5000/x:latest',
  'openpolicyagent/opa:0.9.2',
  `nginx@sha256:${'a'.repeat(64)}`,
  `nginx:latest@sha256:${'b'.repeat(64)}`,
  'nginx@sha256:1',
  'x@y:z',
  '',
  'UPPER/Case',
  'with "quotes" and \\',
  'tab\there',
  'ünïcode/é:1',
];
const NAMES = ['web', 'side-car', 'init', 'a "b"', 'é', ''];
const NAMESPACES = ['default', 'prod', 'kube-system', 'team-a', ''];

/** An AdmissionReview, now and then one that no API server would send. */
export function generateReview(random: Random): Record<string, unknown> {
  const object = generateObject(random);
  const request: Record<string, unknown> = {
    uid: 'u',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    operation: random.pick(['CREATE', 'UPDATE', 'DELETE']),
    ...(random.chance(0.8) ? { namespace: random.pick(NAMESPACES) } : {}),
    ...(!random.odd(0.2) ? { object } : {}),
    ...(random.chance(0.7) ? { oldObject: random.odd(0.1) ? { spec: {} } : generateObject(random) } : {}),
    ...(random.odd(0.1) ? { unknown: 1 } : {}),
  };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    ...(!random.odd(0.05) ? { request } : {}),
  };
}

/** An object of any sort, with containers of any shape. */
export function generateObject(random: Random): Record<string, unknown> {
  const [apiVersion, kind] = random.pick([
    ['v1', 'Pod'],
    ['v1', 'Pod'],
    ['v1', 'Pod'],
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'Deployment'],
    ['v1', 'Namespace'],
    ['example.com/v1', 'Widget'],
    ...(random.odd(0.3)
      ? ([
          ['a/b/c', 'Pod'],
          ['', 'Pod'],
        ] as const)
      : []),
  ] as const);
  const namespace = random.pick(NAMESPACES);
  const pod = generatePodSpec(random);
  const template = {
    metadata: { labels: generateLabels(random), ...(random.chance(0.1) ? { name: 'own', namespace: 'other' } : {}) },
    spec: pod,
  };
  const spec = kind === 'Pod' || (kind === 'Widget' && random.chance(0.4)) ? pod : { replicas: 1, template };
  return {
    apiVersion,
    ...(!random.odd(0.03) ? { kind } : {}),
    metadata: {
      ...(random.chance(0.95) ? { name: random.pick(['pod', 'prod', 'Some-Name']) } : { generateName: 'po-' }),
      ...(namespace === '' || kind === 'Namespace' ? {} : { namespace }),
      ...(random.chance(0.5) ? { labels: generateLabels(random) } : {}),
    },
    ...(!random.odd(0.05) ? { spec } : { spec: random.pick<unknown>([null, 'text', [], 5]) }),
  };
}

function generateLabels(random: Random): unknown {
  if (random.odd(0.08)) return { app: 5 };
  return { app: random.pick(['web', 'db']), ...(random.chance(0.3) ? { owner: 'operator' } : {}) };
}

function generatePodSpec(random: Random): Record<string, unknown> {
  const list = () => Array.from({ length: random.between(0, 3) }, () => generateContainer(random));
  const containers = (): unknown => {
    if (!random.odd(0.1)) return list();
    return random.pick<unknown>([
      null,
      'text',
      { a: generateContainer(random), b: generateContainer(random) },
      5,
      [[]],
    ]);
  };
  return {
    containers: containers(),
    ...(random.chance(0.35) ? { initContainers: containers() } : {}),
    ...(random.chance(0.25) ? { ephemeralContainers: containers() } : {}),
    ...(random.chance(0.1) ? { volumes: [{ name: 'v', image: { reference: random.pick(IMAGES) } }] } : {}),
  };
}

function generateContainer(random: Random): unknown {
  if (random.chance(0.03)) return random.pick<unknown>([null, 'text', 5, []]);
  const odd: readonly unknown[] = [5, 1.5, null, true, ['nginx:latest'], { a: 'b' }, [], 1e21];
  return {
    ...(random.chance(0.95) ? { name: random.chance(0.95) ? random.pick(NAMES) : random.pick(odd) } : {}),
    ...(random.chance(0.95) ? { image: random.chance(0.93) ? random.pick(IMAGES) : random.pick(odd) } : {}),
  };
}
