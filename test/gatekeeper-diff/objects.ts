import type { Random } from '../../dev/fuzz/random.ts';
import { NAMESPACE_NAMES } from './surroundings.ts';
import { containerName, image, several } from './texts.ts';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface GeneratedObject {
  readonly object: KubernetesObject;
  /** Of the request; empty for what lies in no namespace. */
  readonly namespace: string;
  readonly resource: string;
}

const WORKLOADS: readonly (readonly [apiVersion: string, kind: string])[] = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'ReplicaSet'],
  ['batch/v1', 'Job'],
  ['v1', 'ReplicationController'],
];

/** Mostly pods; what makes pods; what lies in no namespace; kinds that have nothing to do with images. */
export function generatedObject(random: Random): GeneratedObject {
  const namespace = random.pick(NAMESPACE_NAMES);
  const metadata = objectMeta(random, namespace);
  switch (random.under(20)) {
    case 0:
    case 1: {
      const [apiVersion, kind] = random.pick(WORKLOADS);
      const spec = { selector: { matchLabels: { app: 'web' } }, template: podTemplate(random) };
      return { object: { apiVersion, kind, metadata, spec }, namespace, resource: `${kind.toLowerCase()}s` };
    }
    case 2: {
      const spec = { schedule: '* * * * *', jobTemplate: { spec: { template: podTemplate(random) } } };
      return { object: { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec }, namespace, resource: 'cronjobs' };
    }
    case 3: {
      const object = { apiVersion: 'demo.io/v1', kind: 'Widget', metadata, spec: { pod: podTemplate(random) } };
      return { object, namespace, resource: 'widgets' };
    }
    case 4: {
      const name = random.pick(NAMESPACE_NAMES);
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: labels(random) }, spec: {} };
      return { object, namespace: '', resource: 'namespaces' };
    }
    case 5: {
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { containers: 'none' } };
      return { object, namespace, resource: 'configmaps' };
    }
    default:
      return {
        object: { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec(random) },
        namespace,
        resource: 'pods',
      };
  }
}

/** The same object a little later: other labels, some other images. */
export function changed(random: Random, object: KubernetesObject): KubernetesObject {
  const copy = structuredClone(object) as KubernetesObject & { metadata: Record<string, unknown> };
  if (random.chance(0.5)) copy.metadata['labels'] = labels(random);
  if (random.chance(0.6)) changeImages(random, copy);
  return copy;
}

function changeImages(random: Random, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const record = value as Record<string, unknown>;
  if (typeof record['image'] === 'string' && random.chance(0.5)) record['image'] = image(random);
  for (const child of Object.values(record)) changeImages(random, child);
}

function objectMeta(random: Random, namespace: string): Record<string, unknown> {
  const name = random.pick(['web-1', 'web-2', 'other-1', 'db', 'web']);
  return {
    ...(random.chance(0.15) ? { generateName: random.pick(['web-', 'other-', 'w']) } : { name }),
    ...(random.chance(0.95) ? { namespace } : {}),
    ...(random.chance(0.8) ? { labels: labels(random) } : {}),
    ...(random.chance(0.1) ? { annotations: { note: 'x' } } : {}),
  };
}

function labels(random: Random): Record<string, string> {
  return Object.fromEntries(
    several(random, 3, () => [
      random.pick(['app', 'tier', 'empty', 'owner']),
      random.pick(['web', 'front', '', 'team-a', 'prod']),
    ]),
  );
}

function podTemplate(random: Random): object {
  return { metadata: { labels: labels(random) }, spec: podSpec(random) };
}

function podSpec(random: Random): Record<string, unknown> {
  const most = random.chance(0.04) ? 40 : 3;
  const spec: Record<string, unknown> = { containers: containers(random, most) };
  if (random.chance(0.35)) spec['initContainers'] = containers(random, 2);
  if (random.chance(0.2)) spec['ephemeralContainers'] = containers(random, 2);
  return spec;
}

function containers(random: Random, most: number): object[] {
  return several(random, most, () => ({
    name: containerName(random),
    // An API server takes a pod template without an image; a pod never.
    ...(random.chance(0.02) ? {} : { image: random.chance(0.02) ? '' : image(random) }),
    ...(random.chance(0.3) ? { imagePullPolicy: 'Always' } : {}),
  }));
}
