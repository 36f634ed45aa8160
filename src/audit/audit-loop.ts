import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { AuditError } from './cluster-audit.ts';
import type { AuditRun } from './ports.ts';

export interface AuditLoopDeps {
  /** One pass, `ClusterAudit.pass`. */
  audit(): Promise<AuditRun>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs?: number;
  /** Asked every second: true when the next pass should not wait. */
  changed?(): boolean;
}

export interface AuditLoop {
  /** A pass now, or the one that is under way. Throws what the pass throws. */
  runNow(): Promise<AuditRun>;
  /** A pass soon: constraints or what is known about images changed. Many calls are one pass. */
  wake(): void;
  /** End of the last pass that succeeded, epoch ms. */
  lastSuccess(): number | undefined;
  /** One sentence when passes fail or are late; undefined in a replica that leaves them to another. */
  problem(): string | undefined;
  /** Waits for a pass that is under way. */
  stop(): Promise<void>;
}

const INTERVAL_MS = 60_000;
const WAKE_MS = 2000;
const NOT_READY_MS = 1000;
const ASK_MS = 1000;
const LATE_AFTER_INTERVALS = 5;

/** Audits at once and then every minute, one pass at a time; a failed pass is logged and tried again next time. */
export function createAuditLoop(deps: AuditLoopDeps): AuditLoop {
  const interval = deps.intervalMs ?? INTERVAL_MS;
  const startedAt = deps.clock.now();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let underWay: Promise<AuditRun> | undefined;
  let lastSuccess: number | undefined;
  let failure: string | undefined;
  let follows = false;

  async function pass(): Promise<AuditRun> {
    try {
      const run = await deps.audit();
      lastSuccess = deps.clock.now();
      failure = undefined;
      follows = false;
      deps.logger.info(
        { objects: run.objects, violations: run.violations.length, ms: run.finishedAt - run.startedAt },
        'cluster audited',
      );
      return run;
    } catch (error) {
      follows = error instanceof AuditError && error.code === 'not_leader';
      failure = follows ? undefined : messageOf(error);
      if (!follows) deps.logger.warn({ problem: failure }, 'cluster audit failed');
      throw error;
    } finally {
      underWay = undefined;
    }
  }

  function runNow(): Promise<AuditRun> {
    underWay ??= pass();
    return underWay;
  }

  function schedule(after: number): void {
    const at = performance.now() + after;
    if (stopped || at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(() => void tick(), after);
  }

  async function tick(): Promise<void> {
    dueAt = Number.POSITIVE_INFINITY;
    let next = interval;
    await runNow().catch((error: unknown) => {
      if (error instanceof AuditError && error.code === 'not_ready') next = Math.min(interval, NOT_READY_MS);
    });
    schedule(next);
  }
  function wake(): void {
    schedule(Math.min(interval, WAKE_MS));
  }
  void tick();
  const asking = setInterval(() => {
    if (underWay === undefined && deps.changed?.() === true) wake();
  }, ASK_MS);
  asking.unref();

  return {
    runNow,
    wake,
    lastSuccess: () => lastSuccess,
    problem() {
      if (failure !== undefined) return `the last cluster audit failed: ${failure}`;
      if (follows) return undefined;
      const age = deps.clock.now() - (lastSuccess ?? startedAt);
      return age > interval * LATE_AFTER_INTERVALS ? `no cluster audit for ${Math.round(age / 1000)} s` : undefined;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      clearInterval(asking);
      await underWay?.catch(() => undefined);
    },
  };
}
