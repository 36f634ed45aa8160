import { join } from 'node:path';
import { openCertificates } from '../../src/admission/certificates.ts';
import { createWebhookServer } from '../../src/admission/server.ts';
import { createConstraintWatcher } from '../../src/audit/constraint-watcher.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import type { TestCluster } from '../support/cluster.ts';

export interface OurGuard {
  readonly webhookUrl: string;
  stop(): Promise<void>;
}

export async function startOurs(cluster: TestCluster, folder: string): Promise<OurGuard> {
  const client = createKubernetesClient(loadKubeconfig(cluster.kubeconfig), systemClock);
  const certificates = await openCertificates({
    folder: join(folder, 'ours'),
    hosts: ['127.0.0.1'],
    clock: systemClock,
  });
  const watcher = createConstraintWatcher({ client, clock: systemClock, logger: silentLogger, retryMs: 200 });
  const server = createWebhookServer({
    source: watcher,
    facts: {
      factsAbout: async () => ({ verdicts: { verdictOf: () => undefined }, mirrors: { addressOf: () => undefined } }),
    },
    logger: silentLogger,
    tls: certificates.tls(),
    exemptNamespaces: ['kube-system'],
  });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    webhookUrl: `https://127.0.0.1:${port}/v1/admit`,
    async stop() {
      await watcher.stop();
      await server.close();
      await client.close();
    },
  };
}
