import type { BlobStore } from '../blobs/blob-store.ts';
import type { Db } from '../db/database.ts';
import type { DatabaseState } from '../db/unchanged.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { createAuthorStore } from './author-store.ts';
import { createDocumentStore } from './document-store.ts';
import type { Rejudging, Requests, VexChange } from './ports.ts';
import { readAttached, readUnprovenAgain, type StoredArtifact } from './referrers.ts';
import { createVexSource } from './source.ts';
import { type Incoming, type TakenIn, takeIn } from './take-in.ts';

export interface VexDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly blobs: Pick<BlobStore, 'open'>;
  /** Of the tables of VEX. */
  readonly state: DatabaseState;
  readonly exceptions: Requests;
  readonly hosts: readonly string[];
}

/** What authors of VEX say: taken in, kept, weighed. */
export type Vex = ReturnType<typeof createVex>;

/** Opens it; verdicts are kept in step once `follow` was called. */
export function createVex(deps: VexDeps) {
  let followers: Rejudging = { mark: async () => undefined, renew: async () => undefined };
  const rejudging: Rejudging = {
    mark: (tx, change) => followers.mark(tx, change),
    renew: (change) => followers.renew(change),
  };
  const documents = createDocumentStore({ ...deps, rejudging });
  const all = { ...deps, documents, rejudging };
  let turn: Promise<unknown> = Promise.resolve();

  /** One at a time: a document may be large, and two together twice that. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = turn.then(work, work);
    turn = done.catch(() => undefined);
    return done;
  }

  return {
    authors: createAuthorStore({ ...deps, touched: (tx, change) => rejudging.mark(tx, change) }),
    documents,
    source: createVexSource(deps),
    /** See `takeIn`. */
    takeIn: (incoming: Incoming): Promise<TakenIn> => inTurn(() => takeIn(all, incoming)),
    /** See `readAttached`. */
    readAttached: (artifact: StoredArtifact): Promise<readonly TakenIn[]> => inTurn(() => readAttached(all, artifact)),
    /** See `readUnprovenAgain`. */
    readUnprovenAgain: (): Promise<void> => inTurn(() => readUnprovenAgain(all)),
    /** Judges anew what a change touched. */
    renew: (change: VexChange): Promise<unknown> => rejudging.renew(change),
    /** From now on verdicts are kept in step by these. */
    follow(rejudged: Rejudging): void {
      followers = rejudged;
    },
  };
}
