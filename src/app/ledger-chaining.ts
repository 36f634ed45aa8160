import type { Ledger } from '../ledger/ledger.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

const EVERY_MS = 1000;

/** Chains what pushes left for the ledger, every second; `stop` does it once more. */
export function startChaining(deps: {
  readonly ledger: Pick<Ledger, 'chainPending'>;
  readonly logger: Logger;
  readonly everyMs?: number;
}): { stop(): Promise<void> } {
  const { ledger, logger, everyMs = EVERY_MS } = deps;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let underWay = Promise.resolve();

  async function chain(): Promise<void> {
    try {
      await ledger.chainPending();
    } catch (error) {
      // They are durable: the next one takes them.
      logger.warn({ error: messageOf(error) }, 'lines of the ledger could not be chained yet');
    }
  }

  function next(): void {
    timer = setTimeout(() => {
      underWay = chain().finally(() => {
        if (!stopped) next();
      });
    }, everyMs).unref();
  }

  next();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await underWay;
      await chain();
    },
  };
}
