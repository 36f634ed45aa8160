import { setTimeout as delay } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Config } from '../config.ts';
import { type ImageFactsSource, NO_FACTS } from '../constraints/image-facts.ts';
import { calmLogger } from '../platform/calm-logger.ts';
import { systemClock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { logCameInUnseen } from './came-in-unseen.ts';
import { type Guard, openGuard } from './guard.ts';
import { type Check, createHealthServer } from './health.ts';

const AGAIN_MS = 2000;

/** Without a server the constraints alone decide. */
const NO_SERVER: ImageFactsSource = { factsAbout: async () => NO_FACTS };

/**
 * Runs one replica of the guard near an API server until it is told to stop (SIGTERM, SIGINT): then it is not ready at
 * once, goes on answering for a while, and ends.
 */
export async function serveGuard(config: Config): Promise<void> {
  const clock = systemClock;
  const everything = createLogger(config.logLevel);
  const logger = calmLogger(everything, clock);
  // Findings stand in the status of the constraints; what nobody looked at when it came is said one by one.
  const sink = logCameInUnseen(everything);
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());

  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  let guard: Guard | undefined;
  let trouble = 'the guard is starting';
  const checks: Check[] = [
    {
      name: 'guard',
      severity: 'unready',
      check: async () => (stopping.signal.aborted ? 'the guard is stopping' : guard ? undefined : trouble),
    },
  ];
  const health = createHealthServer({ metrics, checks });
  await health.listen(config.metricsListen);

  try {
    guard = await opened(
      () =>
        openGuard({ config, clock, logger, facts: NO_SERVER, sink, trustedRepos: () => [], as: 'replica', metrics }),
      { logger, signal: stopping.signal, onFailure: (why) => void (trouble = why) },
    );
    if (guard) {
      checks.push(...guard.checks);
      process.stdout.write(`Guard: ${guard.webhookUrl}\n`);
      await aborted(stopping.signal);
      process.stdout.write(`Stopping: answering for ${config.guardDrainSeconds} s more.\n`);
      await guard.drain();
      await delay(config.guardDrainSeconds * 1000);
      await guard.close();
    }
  } finally {
    await health.close();
  }
}

/** Opens until it succeeds: an API server or a namespace may come a moment after the guard. */
async function opened(
  open: () => Promise<Guard>,
  deps: { readonly logger: Logger; readonly signal: AbortSignal; onFailure(why: string): void },
): Promise<Guard | undefined> {
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
  return ['kubeconfig_invalid', 'certificate_secret_invalid', 'EADDRINUSE', 'EACCES'].includes(String(code));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
