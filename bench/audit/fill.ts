import { KubernetesError } from '../../src/kubernetes/errors.ts';
import type { KubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';

export interface Filling {
  readonly pods: number;
  readonly namespaces: number;
}

const PODS_PER_DEPLOYMENT = 10;
/** One Deployment in so many comes from a registry that is not trusted. */
const UNTRUSTED_EVERY = 10;
const AT_ONCE = 16;
export const TRUSTED = 'registry.bench.example';

/** Fills a cluster with Deployments, their ReplicaSets and pods, evenly over namespaces; what is there already stays. */
export async function fillCluster(client: KubernetesClient, { pods, namespaces }: Filling): Promise<void> {
  await inParallel(namespaces, (at) =>
    create(client, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespaceOf(at) } }),
  );
  const deployments = Math.ceil(pods / PODS_PER_DEPLOYMENT);
  const started = performance.now();
  let made = 0;
  await inParallel(deployments, async (at) => {
    const namespace = namespaceOf(at % namespaces);
    const image = imageOf(at);
    const name = `app-${at}`;
    const deployment = await createOwner(
      client,
      'deployments',
      namespace,
      workload('Deployment', name, namespace, image),
    );
    const set = workload('ReplicaSet', `${name}-5d4f8c7b9d`, namespace, image, owner('Deployment', name, deployment));
    const uid = await createOwner(client, 'replicasets', namespace, set);
    const left = Math.min(PODS_PER_DEPLOYMENT, pods - at * PODS_PER_DEPLOYMENT);
    for (let pod = 0; pod < left; pod += 1) {
      await create(
        client,
        `/api/v1/namespaces/${namespace}/pods`,
        podObject(`${name}-5d4f8c7b9d-${pod}`, namespace, name, image, owner('ReplicaSet', `${name}-5d4f8c7b9d`, uid)),
      );
      made += 1;
      if (made % 10_000 === 0)
        console.log(`  ${made} pods after ${Math.round((performance.now() - started) / 1000)} s`);
    }
  });
}

/** Changes something of a share of the pods that an audit has to look at again. */
export async function changePods(
  client: KubernetesClient,
  { pods, namespaces }: Filling,
  share: number,
): Promise<number> {
  const count = Math.max(1, Math.round(pods * share));
  const step = Math.floor(pods / count);
  await inParallel(count, async (index) => {
    const pod = index * step;
    const at = Math.floor(pod / PODS_PER_DEPLOYMENT);
    const name = `app-${at}-5d4f8c7b9d-${pod % PODS_PER_DEPLOYMENT}`;
    await client.patch(`/api/v1/namespaces/${namespaceOf(at % namespaces)}/pods/${name}`, {
      metadata: { labels: { round: String(Math.round(performance.now())) } },
    });
  });
  return count;
}

function namespaceOf(at: number): string {
  return `bench-${at}`;
}

/** Many applications share an image; there are as many as a large company has. */
function imageOf(deployment: number): string {
  const registry = deployment % UNTRUSTED_EVERY === 0 ? 'docker.io' : TRUSTED;
  return `${registry}/team-${deployment % 97}/service-${deployment % 1009}:1.${deployment % 13}.0`;
}

function owner(kind: string, name: string, uid: string): object {
  return { apiVersion: 'apps/v1', kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** About as long as pods are: environment, probes, resources, volumes. */
function podSpec(image: string): object {
  const env = Array.from({ length: 12 }, (_, at) => ({
    name: `SETTING_${at}`,
    value: `value of setting number ${at}`,
  }));
  const resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } };
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, timeoutSeconds: 3 };
  return {
    initContainers: [{ name: 'migrate', image, command: ['/app/migrate', '--wait'], env }],
    containers: [
      {
        name: 'main',
        image,
        env,
        resources,
        livenessProbe: probe,
        readinessProbe: probe,
        ports: [{ containerPort: 8080 }],
      },
      { name: 'proxy', image: `${TRUSTED}/mesh/proxy:2.14.1`, args: ['--listen', '0.0.0.0:15001'], resources },
    ],
    volumes: [
      { name: 'data', emptyDir: {} },
      { name: 'settings', configMap: { name: 'settings', optional: true } },
    ],
    serviceAccountName: 'default',
    terminationGracePeriodSeconds: 30,
  };
}

function workload(kind: string, name: string, namespace: string, image: string, controller?: object): object {
  const labels = { app: name, team: 'bench' };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, labels, ...(controller ? { ownerReferences: [controller] } : {}) },
    spec: {
      replicas: PODS_PER_DEPLOYMENT,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels }, spec: podSpec(image) },
    },
  };
}

function podObject(name: string, namespace: string, app: string, image: string, controller: object): object {
  const labels = { app, team: 'bench', 'pod-template-hash': '5d4f8c7b9d' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels, ownerReferences: [controller] },
    spec: podSpec(image),
  };
}

async function createOwner(
  client: KubernetesClient,
  plural: string,
  namespace: string,
  object: object,
): Promise<string> {
  const collection = `/apis/apps/v1/namespaces/${namespace}/${plural}`;
  const made = await create(client, collection, object);
  const { name } = (object as { metadata: { name: string } }).metadata;
  const stored = (made ?? (await client.get(`${collection}/${name}`))) as { metadata: { uid: string } };
  return stored.metadata.uid;
}

/** Undefined when it was there already. */
async function create(client: KubernetesClient, path: string, object: object): Promise<unknown> {
  try {
    return await client.create(path, object);
  } catch (error) {
    if (error instanceof KubernetesError && error.code === 'conflict') return undefined;
    throw error;
  }
}

async function inParallel(count: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, count) }, async () => {
      for (let at = next; at < count; at = next) {
        next += 1;
        await work(at);
      }
    }),
  );
}
