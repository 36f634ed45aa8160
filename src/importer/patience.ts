import { UpstreamError } from '../mirror/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { HttpError } from '../platform/http-client.ts';
import { ImportError } from './errors.ts';

export interface PatienceDeps {
  readonly clock: Clock;
  readonly wait: (ms: number) => Promise<void>;
  /** Told when a side asks for a pause that a person would notice. */
  readonly onPause: (seconds: number, why: string) => void;
}

/** Who has to answer. */
type Side = 'source' | 'target' | 'both';

/** Runs something that may fail for a while. */
export type Patience = <Result>(side: Side, work: () => Promise<Result>) => Promise<Result>;

const MOST_TRIES = 6;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15 * 60_000;
const NOTICED_MS = 5000;
/** That many things in a row got no answer in all their tries: a side is gone, and the rest would fail too. */
const MOST_FAILURES = 5;

/**
 * Tries again what failed because a registry was not available: when it says so (`Retry-After`), everybody waits that long, otherwise
 * longer each time. Throws the last error after six tries, and `ImportError('gave_up')` when nothing works any more.
 */
export function createPatience({ clock, wait, onPause }: PatienceDeps): Patience {
  let pausedUntil = 0;
  const failures = { source: 0, target: 0, both: 0 };

  async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      for (let left = pausedUntil - clock.now(); left > 0; left = pausedUntil - clock.now()) await wait(left);
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof UpstreamError) || error.code !== 'unavailable' || tries >= MOST_TRIES) throw error;
        const { retryAfterSeconds } = error;
        const ms = Math.min(
          LONGEST_WAIT_MS,
          retryAfterSeconds === undefined ? FIRST_WAIT_MS * 2 ** (tries - 1) : retryAfterSeconds * 1000,
        );
        if (ms > NOTICED_MS) onPause(Math.ceil(ms / 1000), error.message);
        if (retryAfterSeconds === undefined) await wait(ms);
        else pausedUntil = Math.max(pausedUntil, clock.now() + ms);
      }
    }
  }

  return async (side, work) => {
    try {
      const result = await attempt(work);
      failures[side] = 0;
      return result;
    } catch (error) {
      if (!isGone(error)) throw error;
      failures[side] += 1;
      if (failures[side] < MOST_FAILURES) throw error;
      throw new ImportError('gave_up', `${error.message}. Run the same command again later: it goes on from here`, {
        cause: error,
      });
    }
  };
}

/** No answer at all, or one that asks to come back: not the fault of the one thing that was asked for. */
function isGone(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError) || error.code !== 'unavailable') return false;
  return error.cause instanceof HttpError || error.retryAfterSeconds !== undefined;
}
