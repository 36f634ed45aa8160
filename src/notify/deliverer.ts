import { messageOf } from '../platform/errors.ts';
import { type DeliverDeps, takeReceiver, work } from './deliver.ts';
import { makeDigests } from './digests.ts';
import { type DispatchDeps, dispatch } from './dispatch.ts';

export interface DelivererDeps extends DeliverDeps, DispatchDeps {
  /** How often the outbox is looked at; 1 s unless told. */
  readonly pollMs?: number;
}

/** Tells receivers what is in the outbox, for as long as it runs. Several replicas share the work. */
export interface Deliverer {
  start(): void;
  /** Takes nothing more and waits for what is under way. */
  stop(): Promise<void>;
}

const POLL_MS = 1000;
/** Receivers at once: one that does not answer holds up one of these for ten seconds. */
const MOST_RECEIVERS = 32;

export function createDeliverer(deps: DelivererDeps): Deliverer {
  const { logger, pollMs = POLL_MS } = deps;
  const stopping = new AbortController();
  const working = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    while (!stopping.signal.aborted && (await dispatch(deps)) > 0);
    await makeDigests(deps);
    while (!stopping.signal.aborted && working.size < MOST_RECEIVERS) {
      const receiver = await takeReceiver(deps);
      if (!receiver) return;
      const done = work(deps, receiver, stopping.signal)
        .catch((error: unknown) =>
          logger.error({ receiver: receiver.name, problem: messageOf(error) }, 'a receiver could not be told'),
        )
        .finally(() => working.delete(done));
      working.add(done);
    }
  }

  function next(): void {
    round = look()
      .catch((error: unknown) =>
        logger.error({ problem: messageOf(error) }, 'the outbox could not be read; trying again'),
      )
      .finally(() => {
        if (!stopping.signal.aborted) timer = setTimeout(next, pollMs).unref();
      });
  }

  return {
    start: next,
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await round;
      await Promise.all(working);
    },
  };
}
