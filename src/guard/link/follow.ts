import { setTimeout as delay } from 'node:timers/promises';
import type { FactsMemory } from '../../facts/memory.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { LinkError } from './errors.ts';
import type { RunningElsewhere } from './running-elsewhere.ts';
import { type ServerClient, WAIT_SECONDS } from './server-client.ts';

export interface FollowDeps {
  readonly client: Pick<ServerClient, 'facts'>;
  readonly memory: FactsMemory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Projects to follow; undefined: all that the account may read. */
  readonly projects: readonly string[] | undefined;
  readonly running: RunningElsewhere;
  /** What a snapshot knew. */
  readonly from?: { readonly cursor: string; readonly asOf: number } | undefined;
  /** Something was taken in. */
  onChange(): void;
  readonly backoff?: Backoff;
}

/** Milliseconds. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

export interface Following {
  /** Where to go on from. */
  cursor(): string | undefined;
  /** When the memory was known to be complete last, epoch ms. */
  asOf(): number | undefined;
  /** Why the last try failed; undefined while all is well. */
  failure(): string | undefined;
  /** Settles with the first answer that completes the memory, or the first failure. */
  readonly firstTry: Promise<void>;
  /** Asks again at once, for what it has been told of meanwhile. */
  askNow(): void;
  stop(): Promise<void>;
}

const BACKOFF: Backoff = { first: 500, longest: 30_000 };
/** A full account that never ends is none. */
const MOST_PAGES = 100_000;

/** Follows the facts of a server for ever: everything first, then news as it comes; tries again after failures, ever more seldom. */
export function followFacts(deps: FollowDeps): Following {
  const { client, memory, clock, logger, running } = deps;
  const backoff = deps.backoff ?? BACKOFF;
  const stopping = new AbortController();
  let cursor = deps.from?.cursor;
  let asOf = deps.from?.asOf;
  let failure: string | undefined;
  let failures = 0;
  let pages = 0;
  let inquiry = new AbortController();
  const { promise: firstTry, resolve: settleFirst } = Promise.withResolvers<void>();

  async function ask(): Promise<void> {
    const asked = running.unasked();
    const isIdle = asked.length === 0 && pages === 0 && memory.isFilled();
    inquiry = new AbortController();
    const askedAt = clock.now();
    const page = await client.facts(
      {
        ...(cursor === undefined ? {} : { cursor }),
        // Whoever has nothing, or failed a moment ago, wants to know at once.
        waitSeconds: isIdle && failure === undefined ? WAIT_SECONDS : 0,
        ...(deps.projects === undefined ? {} : { projects: [...deps.projects] }),
        running: running.repositories(),
        ask: asked,
      },
      AbortSignal.any([stopping.signal, inquiry.signal]),
    );
    memory.apply(page);
    // A full account that begins has forgotten what was asked about before.
    if (page.reset) running.forgetAsked();
    else running.noteAsked(asked);
    ({ cursor } = page);
    pages = page.complete ? 0 : pages + 1;
    if (pages > MOST_PAGES) throw new LinkError('unexpected_reply', 'the account of the server does not end');
    if (page.complete && memory.isFilled()) {
      // The answer is not older than the question unless it was waited for; then it is news of now.
      asOf = isIdle ? clock.now() : askedAt;
      settleFirst();
    }
    if (failure !== undefined) logger.info({ images: memory.images() }, 'the registry answers again');
    failure = undefined;
    failures = 0;
    deps.onChange();
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await ask();
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (inquiry.signal.aborted) continue;
        if (failure === undefined) logger.warn({ problem: messageOf(error) }, 'the registry cannot be followed');
        failure = messageOf(error);
        failures += 1;
        settleFirst();
        await delay(pauseMs(backoff, failures, error), undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  const working = run();
  return {
    cursor: () => cursor,
    asOf: () => asOf,
    failure: () => failure,
    firstTry,
    askNow: () => inquiry.abort(),
    async stop() {
      stopping.abort();
      settleFirst();
      await working;
    },
  };
}

/** Between none and all of a time that doubles, so that the guards of many clusters do not come back together. */
function pauseMs({ first, longest }: Backoff, failures: number, error: unknown): number {
  const limit = Math.min(longest, first * 2 ** Math.min(failures - 1, 16));
  const told = error instanceof LinkError ? (error.retryAfterMs ?? 0) : 0;
  return told + limit * (0.5 + Math.random() / 2);
}
