import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import { type AdmissionHistory, createAdmissionHistory } from '../admission/admission-history.ts';
import { type ClientCheck, readAuthorities } from '../admission/client-check.ts';
import { type ConstraintSource, staticConstraintSource } from '../admission/constraint-source.ts';
import type { BufferedRecorder } from '../admission/recorder.ts';
import { createWebhookServer } from '../admission/server.ts';
import { createAuditEvents } from '../audit/audit-events.ts';
import { type AuditLoop, createAuditLoop } from '../audit/audit-loop.ts';
import { createClusterAudit } from '../audit/cluster-audit.ts';
import { type ConstraintWatcher, createConstraintWatcher } from '../audit/constraint-watcher.ts';
import { createGuardMetrics, type GuardMetrics } from '../audit/guard-metrics.ts';
import { createLiveCache, type LiveCache } from '../audit/live-cache.ts';
import { createReportWriter } from '../audit/policy-reports.ts';
import type { AuditSink } from '../audit/ports.ts';
import { followWebhookExemptions, type WebhookExemptions } from '../audit/webhook-exemptions.ts';
import { type Config, formatAddress } from '../config.ts';
import type { ImageFactsSource } from '../constraints/image-facts.ts';
import { unseenMoments } from '../guard/absence.ts';
import { ALONE, type Leadership } from '../guard/leader.ts';
import { living } from '../guard/replicas.ts';
import { clusterAccess } from '../kubernetes/kubeconfig.ts';
import { createKubernetesClient, type KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { listed } from '../platform/listed.ts';
import type { Logger } from '../platform/logger.ts';
import { openGuardCertificates } from './guard-certificates.ts';
import { openDecisions } from './guard-decisions.ts';
import type { GuardLink } from './guard-link.ts';
import { observeGuard } from './guard-metrics.ts';
import { startPresence } from './guard-presence.ts';
import { openReplica, type ReplicaParts } from './guard-replica.ts';
import type { Check } from './health.ts';

const CONSTRAINT_NAME = 'require-harbor-repo';
/** What whoever applies a constraint must know where nobody reads it. */
const UNREAD =
  'this server does not read the constraints of the cluster: it only warns, by its own trusted sources, whatever is ' +
  'written here; start it with BREAKWATER_KUBECONFIG to have constraints count';
/** A replica that says nothing for so long is not there any more. */
const GONE_MS = 120_000;

export interface GuardDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is known of images: the registry's own database, or what a server told. */
  readonly facts: ImageFactsSource;
  readonly sink: AuditSink;
  /** The trusted set as the constraint lists it; kept current by the caller. Only asked without access to a cluster. */
  trustedRepos(): readonly string[];
  /** `replica`: one of several guards of a cluster, which share certificates, lease and records through it. */
  readonly as: 'part-of-server' | 'replica';
  readonly metrics?: Registry;
  /** What earlier admissions mean for later ones, where somebody keeps it; else an empty one. */
  readonly history?: AdmissionHistory;
  /** Takes what reviews find; absent, it stands in nobody's list. */
  readonly recorder?: Pick<BufferedRecorder, 'record' | 'dropped'>;
  /** How old what is decided with is, ms, by what it is; for metrics. */
  readonly ages?: Readonly<Record<string, () => number | undefined>>;
  /** What outlives a restart; parts register with its snapshot before it is started, and that is before the first review. */
  readonly link?: Pick<GuardLink, 'snapshot' | 'start'>;
}

/** The cluster side: webhook, constraints, audit. */
export interface Guard {
  /** PEM bundle for the webhook configuration; undefined when somebody else publishes it. */
  readonly caBundle: string | undefined;
  /** Where the API server reaches the webhook. */
  readonly webhookUrl: string;
  readonly constraintName: string;
  /** It has access to a cluster, follows its constraints and makes the one that manifests ask for. */
  readonly followsCluster: boolean;
  /** Absent without access to a cluster. */
  readonly audit?: AuditLoop;
  readonly checks: readonly Check[];
  /** This replica writes what all share. */
  leads(): boolean;
  /** Sends callers to other replicas and lets another one lead; it goes on answering. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the webhook and, where there is a cluster, follows and audits it. */
export async function openGuard(deps: GuardDeps): Promise<Guard> {
  const { config, clock, logger } = deps;
  const access =
    config.kubeconfig !== undefined || deps.as === 'replica' ? clusterAccess(config.kubeconfig) : undefined;
  const shares = deps.as === 'replica' || config.guardCertificates === 'secret';
  const id = config.guardReplica ?? hostname();
  // Two, so that nothing that waits for the one can keep a lease or a heartbeat waiting.
  const client = access && createKubernetesClient(access, clock);
  const housekeeping = access && createKubernetesClient(access, clock);
  const closeClients = async () => void (await Promise.all([client?.close(), housekeeping?.close()]));
  const { replica, certificates } = await openShared(deps, { client: housekeeping, shares, id }).catch(
    async (error: unknown) => {
      await closeClients();
      throw error;
    },
  );
  const history = deps.history ?? createAdmissionHistory();
  const watcher =
    client &&
    createConstraintWatcher({
      client,
      clock,
      logger,
      systemNamespaces: systemNamespaces(config),
      observer: history.rules,
    });
  const source: ConstraintSource =
    watcher ??
    staticConstraintSource({ name: CONSTRAINT_NAME, enforcementAction: 'warn', repos: () => deps.trustedRepos() });
  // Every replica knows what runs and asks it in reviews, one of them audits it.
  const cache = client && createLiveCache({ client, clock, logger });
  const exemptions = client && followWebhookExemptions({ client, logger });
  const decisions = openDecisions({
    config,
    clock,
    cache,
    history,
    recorder: deps.recorder,
    ...(replica ? { cameInUnseen: unseenMoments(replica.absence, clock) } : {}),
  });
  const metrics = deps.metrics && observeGuard(deps.metrics, { clock, certificates, replica });
  const counts = deps.metrics && createGuardMetrics(deps.metrics);
  if (counts) observeData(counts, deps, { watcher, cache });
  const webhook = createWebhookServer({
    source,
    facts: deps.facts,
    logger,
    tls: certificates.tls(),
    clients: await clientCheck(config),
    exemptNamespaces: [...listed(config.guardExemptNamespaces), config.guardNamespace],
    replica: id,
    constraints: exemptions ? { unaskedNamespaces: () => exemptions.names() } : { unread: UNREAD },
    memory: decisions.memory,
    ...(decisions.pinning ? { pinning: decisions.pinning } : {}),
    ...(counts
      ? {
          onDecision: ({ request, response, milliseconds }) =>
            counts.reviews.add(response.allowed, request.dryRun === true, milliseconds / 1000),
        }
      : {}),
    onUndecided(why) {
      replica?.absence.missed(clock.now());
      metrics?.undecided(why);
    },
  });
  await deps.link?.start();
  await webhook.listen(config.webhookListen);
  replica?.startProbing();
  const presence = startPresence({
    certificates,
    shared: replica,
    logger,
    everyMs: config.guardHeartbeatSeconds * 1000,
    onCertificate: () => webhook.replaceCertificate(certificates.tls()),
    provenAt: () => replica?.provenAt(),
  });
  const leadership = replica?.lead() ?? ALONE;
  counts?.leads(leadership.isLeader());
  leadership.onChange((leads) => counts?.leads(leads));
  const audit =
    client &&
    watcher &&
    cache &&
    startAudit(deps, { client, watcher, cache, replica, id, counts, leadership, exemptions });
  leadership.onChange(() => audit?.wake());

  return {
    get caBundle() {
      return certificates.caBundle();
    },
    webhookUrl: config.webhookUrl ?? `https://${formatAddress(config.webhookListen)}`,
    constraintName: CONSTRAINT_NAME,
    followsCluster: client !== undefined,
    ...(audit ? { audit } : {}),
    checks: checksOf(deps, { source, audit, replica, certificates }),
    leads: () => leadership.isLeader(),
    async drain() {
      webhook.drain();
      await leadership.stop();
    },
    async close() {
      await replica?.stopProbing();
      await leadership.stop();
      await webhook.close();
      await presence.stop();
      await audit?.stop().catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'last audit failed'));
      decisions.stop();
      exemptions?.stop();
      await Promise.all([watcher?.stop(), cache?.stop()]);
      await closeClients();
    },
  };
}

/** What has to be there before anything is served: from then on the others wait for us when certificates change. */
async function openShared(
  { config, clock, logger }: GuardDeps,
  { client, shares, id }: { client: KubernetesClient | undefined; shares: boolean; id: string },
) {
  const replica = client && shares ? await openReplica({ config, clock, logger, client, id }) : undefined;
  const certificates = await openGuardCertificates({
    config,
    clock,
    logger,
    client,
    hosts: webhookHosts(config),
    shared: shares && config.guardCertificates !== 'folder',
    replicas: async () => (await replica?.board.read()) ?? [],
  });
  await replica?.begin(certificates.serves());
  return { replica, certificates };
}

/** Metrics about what decisions rest on, and about findings that are lost. */
function observeData(
  counts: GuardMetrics,
  { ages = {}, recorder }: GuardDeps,
  parts: { readonly watcher: ConstraintWatcher | undefined; readonly cache: LiveCache | undefined },
): void {
  const { watcher, cache } = parts;
  const followed = {
    ...(watcher ? { rules: () => watcher.ageMs() } : {}),
    ...(cache ? { workloads: () => cache.ageMs() } : {}),
  };
  for (const [what, ageMs] of Object.entries({ ...followed, ...ages }))
    counts.dataAge(what, () => {
      const age = ageMs();
      return age === undefined ? undefined : age / 1000;
    });
  if (recorder) counts.droppedFindings(() => recorder.dropped());
}

function startAudit(
  { config, clock, logger, facts, sink }: GuardDeps,
  parts: {
    readonly counts: GuardMetrics | undefined;
    readonly leadership: Leadership;
    readonly client: KubernetesClient;
    readonly watcher: ConstraintWatcher;
    readonly cache: LiveCache;
    readonly replica: ReplicaParts | undefined;
    readonly id: string;
    readonly exemptions: WebhookExemptions | undefined;
  },
): AuditLoop {
  const { client, watcher, cache, replica, id, counts, leadership } = parts;
  const { auditReports: choice } = config;
  const audit = createClusterAudit({
    keepViolations: config.auditViolationsLimit,
    ...(choice === 'off' ? {} : { reports: createReportWriter({ client, logger, choice }) }),
    ...(config.auditEvents ? { events: createAuditEvents({ client, clock, logger, pod: id }) } : {}),
    ...(counts ? { metrics: counts } : {}),
    cache,
    rules: () => watcher.rules(),
    broken: () => watcher.broken(),
    namespaceLabels: (name) => watcher.namespaceLabels(name),
    facts,
    client,
    sink,
    clock,
    logger,
    cluster: config.clusterName,
    pod: id,
    unaskedNamespaces: () => parts.exemptions?.names() ?? [],
    absences: () => replica?.absence.intervals() ?? [],
    // The others say in the statuses that they are there.
    isLeader: () => leadership.isLeader(),
    ...(replica ? { replicas: async () => living(await replica.board.read(), GONE_MS) } : {}),
  });
  const loop = createAuditLoop({
    audit: () => audit.pass(),
    changed: () => audit.rulesChanged(),
    clock,
    logger,
    intervalMs: config.auditIntervalSeconds * 1000,
  });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      audit.stop();
    },
  };
}

/** What makes a replica unready takes a server with a registry in it only down a little: that goes on serving images. */
function checksOf(
  { as }: GuardDeps,
  parts: {
    readonly source: ConstraintSource;
    readonly audit: AuditLoop | undefined;
    readonly replica: ReplicaParts | undefined;
    readonly certificates: { problem(): string | undefined };
  },
): Check[] {
  const { source, audit, replica, certificates } = parts;
  const severity = as === 'replica' ? 'unready' : 'degraded';
  return [
    { name: 'constraints', severity, check: async () => source.problem() },
    { name: 'webhook-certificate', severity: 'degraded', check: async () => certificates.problem() },
    // Never unready: without any ready replica the chain could not be proven again.
    { name: 'admission-probe', severity: 'degraded', check: async () => replica?.problem() },
    ...(audit ? [{ name: 'cluster-audit', severity: 'degraded', check: async () => audit.problem() } as const] : []),
  ];
}

async function clientCheck({ guardClientCa, guardClientNames }: Config): Promise<ClientCheck | undefined> {
  if (guardClientCa === undefined) return undefined;
  return { authorities: await readAuthorities(guardClientCa), names: listed(guardClientNames) };
}

function systemNamespaces(config: Config): string[] {
  return [...new Set(['gatekeeper-system', config.guardNamespace])];
}

function webhookHosts(config: Config): string[] {
  const url = config.webhookUrl === undefined ? [] : [new URL(config.webhookUrl).hostname];
  const listen = ['0.0.0.0', '::'].includes(config.webhookListen.host) ? [] : [config.webhookListen.host];
  return [...new Set([...listed(config.webhookHosts), ...listen, ...url])];
}
