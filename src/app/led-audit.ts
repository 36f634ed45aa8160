import type { AuditLoop } from '../audit/audit-loop.ts';
import type { AuditRun } from '../audit/ports.ts';
import type { Leadership } from '../guard/leader.ts';
import { CodedError } from '../platform/errors.ts';

class LedAuditError extends CodedError<'not_leading'> {}

export interface LedAudit {
  /** A pass now. Throws what the pass throws, and when another replica audits. */
  runNow(): Promise<AuditRun>;
  /** One sentence when passes fail or are late; nothing while another replica audits. */
  problem(): string | undefined;
  stop(): Promise<void>;
}

/** Audits while this replica leads: a loop begins with each time it does. */
export function auditWhileLeading(leadership: Leadership, start: () => AuditLoop): LedAudit {
  let loop = leadership.isLeader() ? start() : undefined;
  let ending: Promise<void> = Promise.resolve();
  const forget = leadership.onChange((leads) => {
    const before = loop;
    loop = undefined;
    if (before) ending = ending.then(() => before.stop());
    if (leads) loop = start();
  });
  return {
    async runNow() {
      if (!loop) throw new LedAuditError('not_leading', 'another replica of the guard audits the cluster');
      return loop.runNow();
    },
    problem: () => loop?.problem(),
    async stop() {
      forget();
      await loop?.stop();
      await ending;
    },
  };
}
