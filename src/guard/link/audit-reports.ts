import { setTimeout as delay } from 'node:timers/promises';
import type { AuditRun, AuditSink } from '../../audit/ports.ts';
import { breathe } from '../../platform/breathe.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { LinkError } from './errors.ts';
import type { Backoff } from './follow.ts';
import type { ServerClient } from './server-client.ts';

export interface AuditReportsDeps {
  readonly client: Pick<ServerClient, 'reportAudit'>;
  readonly logger: Logger;
  /** Audits kept while the server is away, bytes of all together; the newest is kept in any case. */
  readonly keptBytes?: number;
  readonly backoff?: Backoff;
}

/** Sends audits to the server, the oldest first; an audit never waits for it and never fails because of it. */
export interface AuditReports extends AuditSink {
  /** Audits not sent yet. */
  waiting(): number;
  /** Audits given up for newer ones, or because the server would not have them. */
  dropped(): number;
  failure(): string | undefined;
  stop(): Promise<void>;
}

const KEPT_BYTES = 32 * 1024 * 1024;
const BACKOFF: Backoff = { first: 1000, longest: 60_000 };
const LINES_AT_ONCE = 5000;

export function createAuditReports(deps: AuditReportsDeps): AuditReports {
  const keptBytes = deps.keptBytes ?? KEPT_BYTES;
  const backoff = deps.backoff ?? BACKOFF;
  const stopping = new AbortController();
  const queue: Buffer[] = [];
  let dropped = 0;
  let failure: string | undefined;
  let working: Promise<void> | undefined;

  function makeRoom(): void {
    let bytes = queue.reduce((sum, { byteLength }) => sum + byteLength, 0);
    while (bytes > keptBytes && queue.length > 1) {
      bytes -= queue.shift()?.byteLength ?? 0;
      dropped += 1;
    }
  }

  async function send(): Promise<void> {
    let failures = 0;
    for (let next = queue[0]; next !== undefined && !stopping.signal.aborted; next = queue[0]) {
      try {
        await deps.client.reportAudit(next, stopping.signal);
        take(next);
        if (failure !== undefined) deps.logger.info({}, 'audits reach the registry again');
        failure = undefined;
        failures = 0;
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (failure === undefined)
          deps.logger.warn({ problem: messageOf(error) }, 'an audit did not reach the registry');
        failure = messageOf(error);
        // Sent again it would be refused again.
        if (error instanceof LinkError && error.code === 'unexpected_reply') {
          take(next);
          dropped += 1;
          continue;
        }
        failures += 1;
        const pause = Math.min(backoff.longest, backoff.first * 2 ** Math.min(failures - 1, 16));
        await delay(pause * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** Takes one out that was not dropped meanwhile. */
  function take(sent: Buffer): void {
    const at = queue.indexOf(sent);
    if (at >= 0) queue.splice(at, 1);
  }

  function startSending(): void {
    working ??= send().finally(() => {
      working = undefined;
      // One may have come between the last look and now.
      if (queue.length > 0 && !stopping.signal.aborted) startSending();
    });
  }

  return {
    async recordAudit(run) {
      queue.push(await linesOf(run));
      makeRoom();
      startSending();
    },
    waiting: () => queue.length,
    dropped: () => dropped,
    failure: () => failure,
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** The audit as the server reads it, made in pieces so that reviews are answered in between. */
async function linesOf({ violations, running, ...audit }: AuditRun): Promise<Buffer> {
  const { cluster, startedAt, finishedAt, objects, incomplete } = audit;
  const parts: Buffer[] = [];
  let lines: string[] = [JSON.stringify({ audit: { cluster, startedAt, finishedAt, objects, incomplete } })];
  const flush = async (): Promise<void> => {
    parts.push(Buffer.from(`${lines.join('\n')}\n`));
    lines = [];
    await breathe();
  };
  for (const violation of violations) {
    lines.push(JSON.stringify({ violation }));
    if (lines.length >= LINES_AT_ONCE) await flush();
  }
  for (const image of running) {
    lines.push(JSON.stringify({ image }));
    if (lines.length >= LINES_AT_ONCE) await flush();
  }
  lines.push(JSON.stringify({ end: { violations: violations.length, images: running.length } }));
  await flush();
  return Buffer.concat(parts);
}
