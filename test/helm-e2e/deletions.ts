import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { TestCluster } from '../support/cluster.ts';
import { NAMESPACE } from './helm.ts';

/** Collections in which objects of the chart lie. */
const COLLECTIONS = [
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`,
  `/api/v1/namespaces/${NAMESPACE}/services`,
  `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`,
  `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets`,
  '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
];

export interface Deletion {
  readonly kind: string;
  readonly name: string;
}

export interface DeletionRecorder {
  /** Ends the watches and gives what was deleted, in the order in which the API server did it. */
  stop(): Promise<readonly Deletion[]>;
}

interface Event {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly resourceVersion: string };
  };
}

/** Watches what the chart consists of. A DELETED event carries the version at which the object went: one order for all kinds. */
export async function recordDeletions(cluster: TestCluster): Promise<DeletionRecorder> {
  const client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
  const ending = new AbortController();
  const found: { readonly version: number; readonly deletion: Deletion }[] = [];
  const watches = await Promise.all(
    COLLECTIONS.map(async (path) => {
      const { metadata } = (await client.get(path, { limit: '1' })) as { metadata: { resourceVersion: string } };
      const query = { watch: 'true', resourceVersion: metadata.resourceVersion };
      return client.stream(path, query, ending.signal);
    }),
  );
  const reading = watches.map((watch) => read(watch).catch(() => undefined));

  async function read(watch: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const part of watch) {
      const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter(Boolean)) {
        const { type, object } = JSON.parse(line) as Event;
        if (type !== 'DELETED') continue;
        const { name, resourceVersion } = object.metadata;
        found.push({ version: Number(resourceVersion), deletion: { kind: object.kind, name } });
      }
    }
  }

  return {
    async stop() {
      ending.abort();
      await Promise.all(reading);
      await client.close();
      return found.toSorted((a, b) => a.version - b.version).map(({ deletion }) => deletion);
    },
  };
}
