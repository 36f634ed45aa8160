import { setTimeout as delay } from 'node:timers/promises';
import type { AbsenceRecord } from '../guard/absence.ts';
import type { GuardCertificates } from '../guard/certificates.ts';
import { living, type Replica, type ReplicaBoard } from '../guard/replicas.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface PresenceDeps {
  readonly certificates: GuardCertificates;
  /** Absent where replicas know nothing of each other. */
  readonly shared?: { readonly board: ReplicaBoard; readonly absence: AbsenceRecord } | undefined;
  readonly logger: Logger;
  readonly everyMs: number;
  /** Serve this from now on. */
  onCertificate(): void;
  provenAt(): number | undefined;
}

export interface Presence {
  stop(): Promise<void>;
}

/** While certificates change, the other replicas wait for us. */
const BUSY_MS = 1000;
/** Heartbeats that may be missing before a replica counts as away. */
const MISSED_BEATS = 3;

/**
 * Everything a guard does all the time beside answering: looks after its certificates, tells the other replicas that it
 * is there and what it serves, and keeps the record of absences. What fails is tried again with the next beat.
 */
export function startPresence(deps: PresenceDeps): Presence {
  const { certificates, shared, logger, everyMs } = deps;
  const stopping = new AbortController();
  let served = certificates.serves();

  async function attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      logger.warn({ problem: messageOf(error) }, what);
    }
  }
  async function beat(): Promise<void> {
    await attempt('the certificates of the webhook could not be looked after', () => certificates.step());
    if (certificates.serves() !== served) {
      served = certificates.serves();
      deps.onCertificate();
    }
    if (!shared) return;
    await attempt('the heartbeat of this guard could not be written', () => shared.board.report(report()));
    await attempt('the record of absences could not be kept', async () => {
      await shared.absence.step(living(await shared.board.read(), everyMs * MISSED_BEATS));
    });
  }
  function report() {
    const provenAt = deps.provenAt();
    return { serves: served, ...(provenAt === undefined ? {} : { provenAt }) };
  }
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await beat();
      const pause = certificates.busy() ? Math.min(BUSY_MS, everyMs) : everyMs;
      await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }
  const running = run();

  return {
    async stop() {
      stopping.abort();
      await running;
      if (shared) await attempt('the last heartbeat could not be written', () => shared.board.leave(report()));
    },
  };
}

/**
 * What a starting guard learns from the board before it writes on it: when nobody else is there, nobody has been since
 * the last heartbeat of all.
 */
export function awaySince(lines: readonly Replica[], ownId: string, now: number, everyMs: number): number | undefined {
  const recent = lines.some((one) => one.id !== ownId && !one.stopped && now - one.at < everyMs * MISSED_BEATS);
  return recent || lines.length === 0 ? undefined : Math.max(...lines.map(({ at }) => at));
}
