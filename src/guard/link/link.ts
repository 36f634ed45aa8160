import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { type BufferedRecorder, createBufferedRecorder } from '../../admission/recorder.ts';
import type { AuditSink } from '../../audit/ports.ts';
import type { ImageFacts } from '../../constraints/image-facts.ts';
import { createFactsMemory } from '../../facts/memory.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { normaliseRegistry } from '../../oci/reference.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { ageText } from './age.ts';
import { createAuditReports } from './audit-reports.ts';
import { LinkError } from './errors.ts';
import { factsSnapshot } from './facts-snapshot.ts';
import { type Backoff, type Following, followFacts } from './follow.ts';
import { createLinkedFacts } from './linked-facts.ts';
import { createRunningElsewhere } from './running-elsewhere.ts';
import { createServerClient, type ServerAccess } from './server-client.ts';
import { updateTrustedConstraints } from './trusted-constraints.ts';

export interface LinkSettings extends ServerAccess {
  /** Under this name the server keeps what admission said. */
  readonly cluster: string;
  /** Projects to follow; undefined: all that the account may read. */
  readonly projects?: readonly string[] | undefined;
  /** Verdicts that were not confirmed for so long are told as unknown, ms. */
  readonly maxAgeMs?: number | undefined;
}

export interface LinkDeps {
  readonly settings: LinkSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly kubernetes: KubernetesClient;
  /** What is known is kept there; load it before `start`. */
  readonly snapshot: Pick<Snapshot, 'inParts'>;
  /** Only then constraints that follow the trusted set are changed. */
  isLeader(): boolean;
  readonly backoff?: Backoff;
}

/** The guard's side of the connection to its server. */
export interface Link {
  /** What is known of images; answers from the first moment on. */
  readonly facts: ImageFacts;
  /** Brings audits to the server, and what runs into what is followed. */
  readonly sink: AuditSink;
  /** Brings what reviews find to the server, a moment later; while it is away they wait, as many as there is room for. */
  readonly recorder: Pick<BufferedRecorder, 'record' | 'dropped'>;
  /** Begins to follow. Settles when the server has told everything, has failed to, or takes too long: the guard is ready then. */
  start(): Promise<void>;
  /** One sentence while the server cannot be followed, with the age of what is known. */
  problem(): string | undefined;
  /** Since the facts were known to be complete; undefined: never. */
  ageMs(): number | undefined;
  /** For metrics. */
  status(): LinkStatus;
  stop(): Promise<void>;
}

export interface LinkStatus {
  /** Since the facts were known to be complete, ms; undefined: never. */
  readonly ageMs: number | undefined;
  readonly images: number;
  readonly auditsWaiting: number;
  readonly auditsDropped: number;
}

const DEFAULT_MAX_AGE_MS = 24 * 3600_000;
const START_MS = 10_000;
const CONSTRAINTS_EVERY_MS = 60_000;
/** How long a guard that ends tries to tell its last findings. */
const LAST_FINDINGS_MS = 3000;

/** Makes the link; it does nothing before `start`. */
export function createLink(deps: LinkDeps): Link {
  const { settings, clock, logger } = deps;
  const client = createServerClient(settings);
  const memory = createFactsMemory();
  let from: { readonly cursor: string; readonly asOf: number } | undefined;
  let following: Following | undefined;
  let constraintsTimer: NodeJS.Timeout | undefined;
  let trustWritten = '';
  let constraintProblems: readonly string[] = [];
  const asOf = (): number | undefined => (following ? following.asOf() : from?.asOf);

  function ageMs(): number | undefined {
    const known = asOf();
    return known === undefined ? undefined : Math.max(0, clock.now() - known);
  }

  deps.snapshot.inParts(
    'facts',
    factsSnapshot({
      memory,
      server: settings.server,
      now: () => clock.now(),
      asOf,
      cursor: () => (following ? following.cursor() : from?.cursor),
      loaded: (loaded) => {
        from = loaded;
      },
    }),
  );
  const running = createRunningElsewhere({ hosts: () => memory.hosts(), covers: () => memory.covers() });
  const reports = createAuditReports({ client, logger, ...(deps.backoff ? { backoff: deps.backoff } : {}) });

  const stopping = new AbortController();
  const recorder = createBufferedRecorder({
    logger,
    keep: (findings) => client.reportFindings({ cluster: settings.cluster, findings: [...findings] }, stopping.signal),
    // Sent again they would be refused again.
    isFinal: (error) => error instanceof LinkError && error.code === 'unexpected_reply',
  });

  let updating: Promise<void> | undefined;
  function updateConstraints(): void {
    // What a snapshot says may be old: the set of the server itself counts.
    if (!deps.isLeader() || !following || following.failure() !== undefined || !memory.isFilled()) return;
    if (following.asOf() === from?.asOf) return;
    updating ??= writeTrusted(memory.trusted()).finally(() => {
      updating = undefined;
    });
  }

  async function writeTrusted(trusted: readonly string[]): Promise<void> {
    try {
      const { problems } = await updateTrustedConstraints(
        { client: deps.kubernetes, logger, server: settings.server },
        trusted,
      );
      for (const problem of problems) if (!constraintProblems.includes(problem)) logger.warn({ problem }, 'constraint');
      constraintProblems = problems;
      trustWritten = trusted.join('\n');
    } catch (error) {
      logger.warn({ problem: messageOf(error) }, 'constraints that follow the trusted set could not be read');
    }
  }

  return {
    facts: createLinkedFacts({
      memory,
      clock,
      asOf,
      maxAgeMs: settings.maxAgeMs ?? DEFAULT_MAX_AGE_MS,
      serverHost: normaliseRegistry(new URL(settings.server).host),
    }),
    sink: {
      async recordAudit(run) {
        if (running.note(run.running.map(({ image }) => image))) following?.askNow();
        await reports.recordAudit(run);
      },
    },
    recorder,
    async start() {
      following = followFacts({
        client,
        memory,
        clock,
        logger,
        projects: settings.projects,
        running,
        from,
        onChange: () => {
          if (memory.trusted().join('\n') !== trustWritten) updateConstraints();
        },
        ...(deps.backoff ? { backoff: deps.backoff } : {}),
      });
      constraintsTimer = setInterval(updateConstraints, CONSTRAINTS_EVERY_MS);
      constraintsTimer.unref();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, START_MS);
      });
      await Promise.race([following.firstTry, late]);
      clearTimeout(timer);
    },
    problem() {
      const failure = following?.failure();
      if (failure === undefined) return constraintProblems[0];
      const known = asOf();
      const age = known === undefined ? 'nothing is known' : `what is known is ${ageText(clock.now() - known)} old`;
      return `the registry cannot be followed, ${age}: ${failure}`;
    },
    ageMs,
    status() {
      return {
        ageMs: ageMs(),
        images: memory.images(),
        auditsWaiting: reports.waiting(),
        auditsDropped: reports.dropped(),
      };
    },
    async stop() {
      clearInterval(constraintsTimer);
      const enough = setTimeout(() => stopping.abort(), LAST_FINDINGS_MS);
      await Promise.all([following?.stop(), reports.stop(), updating, recorder.close()]);
      clearTimeout(enough);
      await client.close();
    },
  };
}
