import type { Random } from '../../dev/fuzz/random.ts';
import { NAMESPACE_NAMES } from './surroundings.ts';
import { image, several } from './texts.ts';

/** White space at the ends of an image is refused by an API server, as Unicode and Go see it. */
const AROUND = /^[\s\u0085]|[\s\u0085]$/;

/** Objects an API server takes, for an audit to find: pods, and workloads without anybody who would make their pods. */
export function storedObjects(random: Random, count: number): object[] {
  return Array.from({ length: count }, (_, index) => storedObject(random, index));
}

function storedObject(random: Random, index: number): object {
  const name = `${random.pick(['web', 'db', 'other'])}-${index}`;
  const metadata = { name, namespace: random.pick(NAMESPACE_NAMES), labels: labels(random) };
  const template = { metadata: { labels: { run: name, ...labels(random) } }, spec: podSpec(random) };
  const selector = { matchLabels: { run: name } };
  switch (random.under(12)) {
    case 0:
      return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { selector, template } };
    case 1:
      return {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata,
        spec: { replicas: random.under(2), selector, template },
      };
    case 2:
      return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { serviceName: 'x', selector, template } };
    case 3:
      return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: onceOnly(template) } };
    case 4: {
      const spec = { schedule: '* * * * *', jobTemplate: { spec: { template: onceOnly(template) } } };
      return { apiVersion: 'batch/v1', kind: 'CronJob', metadata, spec };
    }
    default:
      return { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec(random) };
  }
}

function onceOnly(template: { readonly metadata: object; readonly spec: object }): object {
  return { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
}

function labels(random: Random): Record<string, string> {
  return Object.fromEntries(
    several(random, 3, () => [random.pick(['app', 'tier', 'empty']), random.pick(['web', 'front', '', 'prod'])]),
  );
}

function podSpec(random: Random): Record<string, unknown> {
  const spec: Record<string, unknown> = { containers: containers(random, 'main', 1 + random.under(3)) };
  if (random.chance(0.3)) spec['initContainers'] = containers(random, 'init', 1);
  return spec;
}

function containers(random: Random, name: string, count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${name}-${index}`, image: storable(random) }));
}

function storable(random: Random): string {
  for (;;) {
    const text = image(random);
    if (text !== '' && !AROUND.test(text)) return text;
  }
}
