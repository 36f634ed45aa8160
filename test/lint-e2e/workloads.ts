import { createRandom } from '../../dev/fuzz/random.ts';

const IMAGES = [
  'harbor.example.com/team/app:1',
  'harbor.example.com.evil.io/x:1',
  'reg.io/team/app',
  'reg.io:5000/x',
  'nginx',
  'nginx:1',
  'team/app:1',
  'docker.io/library/nginx:1.27',
  'quay.io/org/app:latest',
  'localhost:5000/x:2',
];

/** Things that run, in the namespaces of the constraints: pods, workloads, and ReplicaSets kept for going back. */
export function storedWorkloads(seed: number, namespaces: readonly string[]): object[] {
  const random = createRandom(seed, 77_777);
  return namespaces.map((namespace, at) => {
    const containers = Array.from({ length: 1 + random.under(3) }, (__, index) => ({
      name: `c${index}`,
      image: random.pick(IMAGES),
    }));
    const labels = { app: `w-${at}` };
    const metadata = { name: `w-${at}`, namespace, labels };
    const template = { metadata: { labels }, spec: { containers } };
    const selector = { matchLabels: labels };
    const kind = random.pick(['Pod', 'Deployment', 'StatefulSet', 'ReplicaSet', 'CronJob', 'Old']);
    switch (kind) {
      case 'Pod':
        return { apiVersion: 'v1', kind, metadata, spec: { containers } };
      case 'CronJob': {
        const once = { ...template, spec: { containers, restartPolicy: 'Never' } };
        const spec = { schedule: '0 0 * * *', jobTemplate: { spec: { template: once } } };
        return { apiVersion: 'batch/v1', kind, metadata, spec };
      }
      case 'Old':
        return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec: { selector, template, replicas: 0 } };
      default: {
        const spec = { selector, template, replicas: 1, ...(kind === 'StatefulSet' ? { serviceName: 'x' } : {}) };
        return { apiVersion: 'apps/v1', kind, metadata, spec };
      }
    }
  });
}
