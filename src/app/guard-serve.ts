import { setTimeout as delay } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createAdmissionHistory } from '../admission/admission-history.ts';
import type { AuditSink } from '../audit/ports.ts';
import type { Config } from '../config.ts';
import { clusterAccess } from '../kubernetes/kubeconfig.ts';
import { createKubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { calmLogger } from '../platform/calm-logger.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { logCameInUnseen } from './came-in-unseen.ts';
import { type Guard, openGuard } from './guard.ts';
import { type GuardLink, observeLink, openGuardLink } from './guard-link.ts';
import { type Check, createHealthServer } from './health.ts';
import { MOST_SIGHTINGS_KEPT } from './kept-history.ts';

const AGAIN_MS = 2000;
/** More than this replica would write, in bytes. An older guard may have left more than a small pod can read. */
const LARGEST_ADMISSIONS = 24 * 1024 * 1024;

/**
 * Runs one replica of the guard near an API server until it is told to stop (SIGTERM, SIGINT): then it is not ready at
 * once, goes on answering for a while, and ends.
 */
export async function serveGuard(config: Config): Promise<void> {
  const clock = systemClock;
  const everything = createLogger(config.logLevel);
  const logger = calmLogger(everything, clock);
  // Findings stand in the status of the constraints; what nobody looked at when it came is said one by one.
  const unseen = logCameInUnseen(everything);
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());

  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  let running: LinkedGuard | undefined;
  let trouble = 'the guard is starting';
  const checks: Check[] = [
    {
      name: 'guard',
      severity: 'unready',
      check: async () => (stopping.signal.aborted ? 'the guard is stopping' : running ? undefined : trouble),
    },
  ];
  const health = createHealthServer({ metrics, checks });
  await health.listen(config.metricsListen);

  try {
    running = await opened(() => openLinked({ config, clock, logger, metrics, unseen }), {
      logger,
      signal: stopping.signal,
      onFailure: (why) => void (trouble = why),
    });
    if (running) {
      const { guard, link } = running;
      checks.push(...guard.checks, ...link.checks);
      observeLink(link, metrics);
      process.stdout.write(`Guard: ${guard.webhookUrl}\n`);
      await aborted(stopping.signal);
      process.stdout.write(`Stopping: answering for ${config.guardDrainSeconds} s more.\n`);
      // While it still leads.
      const kept = link.snapshot.write();
      await guard.drain();
      await delay(config.guardDrainSeconds * 1000);
      await kept;
      await running.close();
    }
  } finally {
    await health.close();
  }
}

interface LinkedGuard {
  readonly guard: Guard;
  readonly link: GuardLink;
  close(): Promise<void>;
}

/** Opens the guard with its link to the server, which is there first and goes last. */
async function openLinked(deps: {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly unseen: AuditSink;
}): Promise<LinkedGuard> {
  const client = createKubernetesClient(clusterAccess(deps.config.kubeconfig), deps.clock);
  let opening: Guard | undefined;
  const link = openGuardLink({ ...deps, client, isLeader: () => opening?.leads() ?? false });
  async function close(): Promise<void> {
    await opening?.close();
    await link.stop();
    await client.close();
  }
  const history = createAdmissionHistory();
  link.snapshot.section('admissions', {
    save: () => history.save(MOST_SIGHTINGS_KEPT),
    load: (value) => history.load(value),
    largest: LARGEST_ADMISSIONS,
  });
  const sink: AuditSink = {
    async recordAudit(run) {
      await deps.unseen.recordAudit(run);
      await link.sink.recordAudit(run);
    },
  };
  try {
    const { facts, recorder } = link;
    const guard = await openGuard({
      ...deps,
      facts,
      sink,
      link,
      history,
      trustedRepos: () => [],
      as: 'replica',
      ...(recorder ? { recorder } : {}),
      ...(link.link ? { ages: { verdicts: link.link.ageMs } } : {}),
    });
    opening = guard;
    return { guard, link, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens until it succeeds: an API server or a namespace may come a moment after the guard. */
async function opened<Opened>(
  open: () => Promise<Opened>,
  deps: { readonly logger: Logger; readonly signal: AbortSignal; onFailure(why: string): void },
): Promise<Opened | undefined> {
  while (!deps.signal.aborted) {
    try {
      return await open();
    } catch (error) {
      if (isFinal(error)) throw error;
      deps.onFailure(messageOf(error));
      deps.logger.warn({ problem: messageOf(error) }, 'the guard cannot start yet; trying again');
      await delay(AGAIN_MS, undefined, { signal: deps.signal }).catch(() => undefined);
    }
  }
  return undefined;
}

/** What no waiting changes. */
function isFinal(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return [
    'kubeconfig_invalid',
    'certificate_secret_invalid',
    'client_authority_invalid',
    'EADDRINUSE',
    'EACCES',
  ].includes(String(code));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
