import { join } from 'node:path';
import { openCertificates } from '../../src/admission/certificates.ts';
import { createWebhookServer } from '../../src/admission/server.ts';
import { createConstraintWatcher } from '../../src/audit/constraint-watcher.ts';
import { NO_FACTS } from '../../src/constraints/image-facts.ts';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../../src/kubernetes/kubernetes-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';

/** The webhook of the guard as a process of its own. Arguments: kubeconfig, a folder for its certificate; prints its port. */
const [kubeconfig = '', folder = ''] = process.argv.slice(2);
const client = createKubernetesClient(loadKubeconfig(kubeconfig), systemClock);
const certificates = await openCertificates({
  folder: join(folder, 'webhook'),
  hosts: ['127.0.0.1'],
  clock: systemClock,
});
const server = createWebhookServer({
  source: createConstraintWatcher({ client, clock: systemClock, logger: silentLogger, retryMs: 200 }),
  facts: { factsAbout: () => NO_FACTS },
  logger: silentLogger,
  tls: certificates.tls(),
  exemptNamespaces: ['kube-system'],
});
const port = await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`port ${port}\n`);
process.once('SIGTERM', () => process.exit(0));
