import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { openCertificates } from '../admission/certificates.ts';
import { type ConstraintSource, staticConstraintSource } from '../admission/constraint-source.ts';
import { createWebhookServer } from '../admission/server.ts';
import { type AuditLoop, createAuditLoop } from '../audit/audit-loop.ts';
import { createClusterAudit } from '../audit/cluster-audit.ts';
import { createConstraintWatcher } from '../audit/constraint-watcher.ts';
import { createLiveCache } from '../audit/live-cache.ts';
import type { AuditSink } from '../audit/ports.ts';
import { publishCaBundle } from '../audit/webhook-bundle.ts';
import { type Config, formatAddress } from '../config.ts';
import type { ImageFactsSource } from '../constraints/image-facts.ts';
import { loadKubeconfig } from '../kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Check } from './health.ts';

const CONSTRAINT_NAME = 'require-harbor-repo';
/** Namespaces that may carry the label which takes them out of admission. */
const EXEMPT_NAMESPACES = ['kube-system', 'breakwater-system'];
const RENEWAL_CHECK_MS = 12 * 3600 * 1000;

export interface GuardDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly facts: ImageFactsSource;
  readonly sink: AuditSink;
  /** The trusted set as the constraint lists it; kept current by the caller. */
  trustedRepos(): readonly string[];
}

/** The cluster side: webhook, constraints, audit. */
export interface Guard {
  /** PEM bundle for the webhook configuration. */
  readonly caBundle: string;
  /** Where the API server reaches the webhook. */
  readonly webhookUrl: string;
  readonly constraintName: string;
  /** It has access to a cluster, follows its constraints and makes the one that manifests ask for. */
  readonly followsCluster: boolean;
  /** Absent without access to a cluster. */
  readonly audit?: AuditLoop;
  readonly checks: readonly Check[];
  close(): Promise<void>;
}

/** Opens the webhook and, where a kubeconfig is set, follows and audits that cluster. */
export async function openGuard(deps: GuardDeps): Promise<Guard> {
  const { config, clock, logger } = deps;
  const certificates = await openCertificates({
    folder: join(config.dataDir, 'webhook'),
    hosts: webhookHosts(config),
    clock,
  });
  const client =
    config.kubeconfig === undefined ? undefined : createKubernetesClient(loadKubeconfig(config.kubeconfig), clock);
  const watcher = client && createConstraintWatcher({ client, clock, logger });
  const source: ConstraintSource =
    watcher ??
    staticConstraintSource({ name: CONSTRAINT_NAME, enforcementAction: 'warn', repos: () => deps.trustedRepos() });
  const webhook = createWebhookServer({
    source,
    facts: deps.facts,
    logger,
    tls: certificates.tls(),
    exemptNamespaces: EXEMPT_NAMESPACES,
  });
  await webhook.listen(config.webhookListen);

  const cache = client && createLiveCache({ client, clock, logger });
  const clusterAudit =
    client && cache && watcher
      ? createClusterAudit({
          cache,
          rules: () => watcher.rules(),
          broken: () => watcher.broken(),
          namespaceLabels: (name) => watcher.namespaceLabels(name),
          facts: deps.facts,
          client,
          sink: deps.sink,
          clock,
          logger,
          cluster: config.clusterName,
          pod: `breakwater-${config.clusterName}`,
        })
      : undefined;
  const audit =
    clusterAudit &&
    createAuditLoop({
      audit: () => clusterAudit.pass(),
      changed: () => clusterAudit.rulesChanged(),
      clock,
      logger,
      intervalMs: config.auditIntervalSeconds * 1000,
    });

  async function renew(): Promise<void> {
    try {
      const { leafChanged } = await certificates.renew();
      if (client) await publishCaBundle(client, certificates.caBundle, clock);
      if (leafChanged) webhook.replaceCertificate(certificates.tls());
    } catch (error) {
      logger.error({ err: error }, 'webhook certificate could not be renewed');
    }
  }
  const renewal = setInterval(() => void renew(), RENEWAL_CHECK_MS);
  renewal.unref();

  return {
    get caBundle() {
      return certificates.caBundle;
    },
    webhookUrl: config.webhookUrl ?? `https://${formatAddress(config.webhookListen)}`,
    constraintName: CONSTRAINT_NAME,
    followsCluster: client !== undefined,
    ...(audit ? { audit } : {}),
    checks: checksOf(source, audit),
    async close() {
      clearInterval(renewal);
      await webhook.close();
      await audit?.stop().catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'last audit failed'));
      clusterAudit?.stop();
      await Promise.all([watcher?.stop(), cache?.stop()]);
    },
  };
}

function checksOf(source: ConstraintSource, audit: AuditLoop | undefined): Check[] {
  return [
    { name: 'constraints', severity: 'degraded', check: async () => source.problem() },
    ...(audit ? [{ name: 'cluster-audit', severity: 'degraded', check: async () => audit.problem() } as const] : []),
  ];
}

function webhookHosts(config: Config): string[] {
  const url = config.webhookUrl === undefined ? [] : [new URL(config.webhookUrl).hostname];
  const listen = ['0.0.0.0', '::'].includes(config.webhookListen.host) ? [] : [config.webhookListen.host];
  return [...new Set([...config.webhookHosts.split(',').map((host) => host.trim()), ...listen, ...url])].filter(
    Boolean,
  );
}
