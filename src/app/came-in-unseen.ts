import type { AuditRun, AuditSink } from '../audit/ports.ts';
import type { Logger } from '../platform/logger.ts';

/** More are only counted in a pass. */
const MOST_SAID = 1000;
const MOST_REMEMBERED = 50_000;

/** For a guard without a server: says once, in its log, what came in while no guard answered. */
export function logCameInUnseen(logger: Logger): AuditSink {
  const said = new Set<string>();
  return {
    async recordAudit({ violations }: AuditRun) {
      const fresh = violations.filter((one) => one.admittedWhileAway && !said.has(keyOf(one)));
      for (const one of fresh.slice(0, MOST_SAID)) {
        const { kind, namespace, name, message } = one;
        if (said.size >= MOST_REMEMBERED) said.clear();
        said.add(keyOf(one));
        logger.warn({ kind, namespace, name, violation: message }, 'came in while no guard answered');
      }
      if (fresh.length > MOST_SAID)
        logger.warn({ more: fresh.length - MOST_SAID }, 'more came in while no guard answered');
    },
  };
}

function keyOf({ kind, namespace, name, message }: AuditRun['violations'][number]): string {
  return JSON.stringify([kind, namespace, name, message]);
}
