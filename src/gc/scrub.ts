import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { nameOf, SYSTEM } from '../auth/principal.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { lockBlob } from '../db/repository-lock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { algorithmOf, type Digest, digestFrom, parseDigest } from '../oci/digest.ts';
import { messageOf } from '../platform/errors.ts';
import { readState, writeState } from './kept-state.ts';
import { type Claim, moveAway, type WithheldDeps, withhold } from './withheld.ts';

export interface ScrubDeps extends WithheldDeps {
  readonly blobs: Pick<BlobStore, 'open' | 'delete'>;
  readonly ledger: Ledger;
  /** From the end of one pass over all blobs to the beginning of the next; 0 = never. */
  readonly scrubEveryMs: number;
  /** Bytes read per second at most; 64 MiB unless told. */
  readonly scrubRate?: number;
}

/** Where the pass over all blobs stands. */
export interface ScrubState {
  /** The last digest that was read; empty between two passes. */
  readonly cursor: string;
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly checked: number;
  readonly bytes: number;
  readonly damaged: number;
  /** Could not be read this time, which says nothing about their content. */
  readonly unreadable: number;
}

const STATE = 'gc.scrub';
const RATE = 64 * 1024 * 1024;
const PAGE = 100;

export function scrubState(deps: Pick<ScrubDeps, 'db'>): Promise<ScrubState | undefined> {
  return readState<ScrubState>(deps.db, STATE);
}

/**
 * Reads stored blobs again, in the order of their digests, for `forMs` milliseconds, and goes on there next time. One whose content is
 * damaged or lost is not served any more, so that clients push it again, which heals it. Gives what this call did.
 */
export async function scrub(
  deps: ScrubDeps,
  { forMs, signal }: { readonly forMs: number; readonly signal?: AbortSignal },
): Promise<Pick<ScrubState, 'checked' | 'bytes' | 'damaged'>> {
  const { db, clock } = deps;
  const begun = clock.now();
  const last = await scrubState(deps);
  const done = { checked: 0, bytes: 0, damaged: 0 };
  if (deps.scrubEveryMs === 0 || (last?.finishedAt ?? -Infinity) + deps.scrubEveryMs > begun) return done;
  let state: ScrubState =
    last && last.finishedAt === undefined
      ? last
      : { cursor: '', startedAt: begun, checked: 0, bytes: 0, damaged: 0, unreadable: 0 };
  for (;;) {
    const page = await db
      .selectFrom('blobs')
      .select(['digest', 'size', 'written_at'])
      .where('digest', '>', state.cursor)
      .where('withheld_at', 'is', null)
      .orderBy('digest')
      .limit(PAGE)
      .execute();
    for (const blob of page) {
      const outcome = await check(deps, parseDigest(blob.digest), blob.written_at, signal);
      if (signal?.aborted) return save(deps, state, done);
      const damaged = outcome === 'damaged' ? 1 : 0;
      done.checked += 1;
      done.bytes += blob.size;
      done.damaged += damaged;
      state = {
        ...state,
        cursor: blob.digest,
        checked: state.checked + 1,
        bytes: state.bytes + blob.size,
        damaged: state.damaged + damaged,
        unreadable: state.unreadable + (outcome === 'unreadable' ? 1 : 0),
      };
      if (clock.now() - begun >= forMs) return save(deps, state, done);
    }
    if (page.length < PAGE) return save(deps, { ...state, cursor: '', finishedAt: clock.now() }, done);
  }
}

async function save<Done>({ db }: ScrubDeps, state: ScrubState, done: Done): Promise<Done> {
  await writeState(db, STATE, state);
  return done;
}

async function check(
  deps: ScrubDeps,
  digest: Digest,
  writtenAt: number,
  signal: AbortSignal | undefined,
): Promise<'sound' | 'damaged' | 'unreadable'> {
  let found: Digest | 'nothing';
  try {
    found = await digestOfStored(deps, digest, signal);
  } catch (error) {
    if (!signal?.aborted) deps.logger.error({ digest, error: messageOf(error) }, 'a stored blob could not be read');
    return 'unreadable';
  }
  const claim = found === digest ? undefined : await quarantine(deps, digest, writtenAt, found);
  if (claim === undefined) return 'sound';
  deps.logger.error(
    { digest, found },
    'the stored content of a blob is damaged; it is not served until it is pushed again',
  );
  await moveAway(deps, digest, claim);
  return 'damaged';
}

async function digestOfStored(
  { blobs, scrubRate = RATE }: ScrubDeps,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Digest | 'nothing'> {
  const content = await blobs.open(digest);
  if (!content) return 'nothing';
  const hash = createHash(algorithmOf(digest));
  for await (const chunk of content) {
    const bytes = chunk as Uint8Array;
    signal?.throwIfAborted();
    hash.update(bytes);
    await sleep((bytes.byteLength / scrubRate) * 1000);
  }
  return digestFrom(algorithmOf(digest), hash);
}

/** Undefined when it was stored anew, or given up, since it was read. */
async function quarantine(
  deps: ScrubDeps,
  digest: Digest,
  writtenAt: number,
  found: string,
): Promise<Claim | undefined> {
  return deps.db.transaction().execute(async (tx) => {
    const blob = await lockBlob(tx, digest);
    if (!blob || blob.withheld_at !== null || blob.written_at !== writtenAt) return undefined;
    const claim = await withhold(tx, digest, 'damaged', deps.clock.now());
    const details = { found, size: blob.size };
    await deps.ledger.append(tx, { actor: nameOf(SYSTEM), action: 'blob.quarantine', target: digest, details });
    return claim;
  });
}
