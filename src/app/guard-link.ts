import type { Registry } from 'prom-client';
import type { AuditSink } from '../audit/ports.ts';
import { type Config } from '../config.ts';
import { type ImageFactsSource, NO_FACTS } from '../constraints/image-facts.ts';
import { createLink, type Link } from '../guard/link/link.ts';
import { createSnapshot, type Snapshot } from '../guard/snapshot/snapshot.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { listed } from '../platform/listed.ts';
import type { Logger } from '../platform/logger.ts';
import { gaugesIn } from './gauges.ts';
import type { Check } from './health.ts';

export interface GuardLinkDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly client: KubernetesClient;
  /** Whether this replica writes what all share. */
  isLeader(): boolean;
}

/** What a guard knows beyond its cluster: from its server, and from the snapshot in the cluster while that is away. */
export interface GuardLink {
  readonly facts: ImageFactsSource;
  readonly sink: AuditSink;
  /** Absent without a server: then nobody keeps what reviews find. */
  readonly recorder?: Link['recorder'];
  /** For more that has to outlive a restart; register it before `start`. */
  readonly snapshot: Snapshot;
  readonly checks: readonly Check[];
  /** Absent without a server. */
  readonly link: Pick<Link, 'status' | 'ageMs'> | undefined;
  /** Reads the snapshot, then the server; settles when reviews can be answered. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const HOUR_MS = 3600_000;

/** Makes it; without a server in the settings the constraints alone decide, and findings stand in their status. */
export function openGuardLink(deps: GuardLinkDeps): GuardLink {
  const { config, clock, logger, client } = deps;
  const shared = { clock, logger, isLeader: () => deps.isLeader() };
  const snapshot = createSnapshot({ ...shared, client, namespace: config.guardNamespace });
  const { guardServer: server, guardServerTokenFile: tokenFile } = config;
  const link =
    server === undefined || tokenFile === undefined
      ? undefined
      : createLink({
          ...shared,
          kubernetes: client,
          snapshot,
          settings: {
            server,
            tokenFile,
            cluster: config.clusterName,
            caFile: config.guardServerCa,
            projects: projectsOf(config.guardProjects),
            maxAgeMs: config.guardFactsMaxAgeHours * HOUR_MS,
          },
        });

  return {
    facts: link ? { factsAbout: () => link.facts } : { factsAbout: () => NO_FACTS },
    ...(link ? { recorder: link.recorder } : {}),
    sink: link?.sink ?? { recordAudit: async () => undefined },
    snapshot,
    link,
    checks: [
      ...(link ? [{ name: 'server', severity: 'degraded', check: async () => link.problem() } as const] : []),
      { name: 'snapshot', severity: 'degraded', check: async () => snapshotProblem(snapshot) },
    ],
    async start() {
      try {
        await snapshot.load();
      } catch (error) {
        logger.warn({ problem: messageOf(error) }, 'the snapshot in the cluster could not be read');
      }
      await link?.start();
      snapshot.start();
    },
    async stop() {
      await snapshot.stop();
      await link?.stop();
    },
  };
}

function snapshotProblem(snapshot: Snapshot): string | undefined {
  const failure = snapshot.failure();
  return failure === undefined ? undefined : `what is known could not be kept in the cluster: ${failure}`;
}

function projectsOf(list: string | undefined): string[] | undefined {
  const projects = listed(list ?? '');
  return projects.length === 0 ? undefined : projects;
}

/** Age and size of what is known, as metrics; nothing without a server. */
export function observeLink({ link }: Pick<GuardLink, 'link'>, registry: Registry): void {
  if (!link) return;
  const gauge = gaugesIn(registry);
  gauge('breakwater_guard_facts_age_seconds', 'Since what is known of images was confirmed by the server', () => {
    const { ageMs } = link.status();
    return ageMs === undefined ? undefined : ageMs / 1000;
  });
  gauge('breakwater_guard_facts_images', 'Images of the registry that are known', () => link.status().images);
  gauge(
    'breakwater_guard_audits_waiting',
    'Audits that have not reached the server yet',
    () => link.status().auditsWaiting,
  );
  gauge('breakwater_guard_audits_dropped', 'Audits given up since the start', () => link.status().auditsDropped);
}
