import type { Actor } from '../ledger/chain.ts';
import { type CollectDeps, collect, lookAhead, type Summary } from './collect.ts';
import { type ScrubDeps, scrub } from './scrub.ts';
import { type GcStatus, noteRun, readStatus } from './status.ts';

export type { Summary } from './collect.ts';
export type { GcStatus } from './status.ts';

interface GarbageCollectorDeps extends Omit<CollectDeps, 'blobs'>, ScrubDeps {
  /** Told after every run. */
  onRun?(summary: Summary): void;
  onScrub?(done: { readonly checked: number; readonly bytes: number; readonly damaged: number }): void;
}

/** Gives up what nothing refers to any more, while everything else goes on; and reads stored blobs again. */
export interface GarbageCollector {
  /** Reviews what is due; `more` when it stopped with some left. `by`: who asked for it. */
  run(signal?: AbortSignal, by?: Actor): Promise<Summary & { readonly more: boolean }>;
  /** What a run would delete now. */
  lookAhead(): Promise<Summary & { readonly more: boolean }>;
  status(): Promise<GcStatus>;
  /** Goes on with reading stored blobs again, for a few seconds. */
  scrub(signal?: AbortSignal): Promise<void>;
}

/** Reviews in one run: a minute's work or so. */
const MOST_REVIEWS = 10_000;
const SCRUB_FOR_MS = 10_000;

export function createGarbageCollector(deps: GarbageCollectorDeps): GarbageCollector {
  return {
    async run(signal, by) {
      const summary = await collect(deps, {
        mostReviews: MOST_REVIEWS,
        ...(signal ? { signal } : {}),
        ...(by === undefined ? {} : { by }),
      });
      await noteRun(deps.db, deps.clock.now(), summary);
      deps.onRun?.(summary);
      return { ...summary, more: summary.reviewed >= MOST_REVIEWS };
    },
    async lookAhead() {
      return { ...(await lookAhead(deps)), more: false };
    },
    status: () => readStatus(deps),
    async scrub(signal) {
      const done = await scrub(deps, { forMs: SCRUB_FOR_MS, ...(signal ? { signal } : {}) });
      deps.onScrub?.(done);
    },
  };
}
