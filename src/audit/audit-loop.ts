import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { AuditRun } from './ports.ts';

export interface AuditLoopDeps {
  /** One pass, `auditCluster` with its dependencies. */
  audit(): Promise<AuditRun>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs?: number;
}

export interface AuditLoop {
  /** A pass now, or the one that is under way. Throws what the pass throws. */
  runNow(): Promise<AuditRun>;
  /** End of the last pass that succeeded, epoch ms. */
  lastSuccess(): number | undefined;
  /** One sentence when passes fail or are late. */
  problem(): string | undefined;
  /** Waits for a pass that is under way. */
  stop(): Promise<void>;
}

const INTERVAL_MS = 60_000;
const LATE_AFTER_INTERVALS = 5;

/** Audits at once and then every minute, one pass at a time; a failed pass is logged and tried again next time. */
export function createAuditLoop(deps: AuditLoopDeps): AuditLoop {
  const interval = deps.intervalMs ?? INTERVAL_MS;
  const startedAt = deps.clock.now();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<AuditRun> | undefined;
  let lastSuccess: number | undefined;
  let failure: string | undefined;

  async function pass(): Promise<AuditRun> {
    try {
      const run = await deps.audit();
      lastSuccess = deps.clock.now();
      failure = undefined;
      deps.logger.info(
        { objects: run.objects, violations: run.violations.length, ms: run.finishedAt - run.startedAt },
        'cluster audited',
      );
      return run;
    } catch (error) {
      failure = messageOf(error);
      deps.logger.warn({ problem: failure }, 'cluster audit failed');
      throw error;
    } finally {
      underWay = undefined;
    }
  }

  function runNow(): Promise<AuditRun> {
    underWay ??= pass();
    return underWay;
  }

  async function tick(): Promise<void> {
    await runNow().catch(() => undefined);
    if (!stopped) timer = setTimeout(() => void tick(), interval);
  }
  void tick();

  return {
    runNow,
    lastSuccess: () => lastSuccess,
    problem() {
      if (failure !== undefined) return `the last cluster audit failed: ${failure}`;
      const age = deps.clock.now() - (lastSuccess ?? startedAt);
      return age > interval * LATE_AFTER_INTERVALS ? `no cluster audit for ${Math.round(age / 1000)} s` : undefined;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await underWay?.catch(() => undefined);
    },
  };
}
