import type { ImageFacts, ImageFactsSource, ImageVerdict } from '../constraints/image-facts.ts';
import type { Db } from '../db/database.ts';
import type { DatabaseState } from '../db/unchanged.ts';
import { currentQuarantines } from '../facts/current.ts';
import type { Feed } from '../facts/feed.ts';
import { createFactsMemory, toldAt } from '../facts/memory.ts';
import { EVERYTHING } from '../facts/scope.ts';
import { findMirroredCopy } from '../mirror/mirrored-address.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { breathe } from '../platform/breathe.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { keepTrying } from '../platform/keep-trying.ts';
import type { Logger } from '../platform/logger.ts';
import { quarantineOf } from '../policy/quarantine.ts';
import type { Verdicts } from '../verdicts/verdicts.ts';

interface Deps {
  readonly db: Db;
  readonly feed: Pick<Feed, 'read'>;
  /** Of the tables that facts are read from. */
  readonly state: DatabaseState;
  readonly verdicts: Pick<Verdicts, 'verdictByReference'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Host and port clients use for this registry. */
  readonly host: string;
  /** A registry with more images than this is asked for each review. */
  readonly mostImages?: number;
}

export interface OwnImageFacts extends ImageFactsSource {
  close(): Promise<void>;
}

const MOST_IMAGES = 300_000;
/** As seldom as this it is looked whether what changed concerns us at all. */
const WAIT_MS = 1000;
const AGAIN_MS = 1000;

/**
 * What webhook and audit of this process learn about images: our own verdicts, and copies of foreign images in mirror projects. Read
 * from the database until the first review has had everything brought into memory, and kept there from then on, so that a review reads
 * nothing. Where the engine tells at once that something was written, it is read again until that has arrived. An installation whose webhook nobody asks keeps nothing.
 */
export function createImageFacts(deps: Deps): OwnImageFacts {
  const { db, feed, logger } = deps;
  const memory = createFactsMemory();
  const stateNow = freeState(deps.state);
  const stopping = new AbortController();
  let working: Promise<void> | undefined;
  /** The memory is as of a moment ago. */
  let isCurrent = false;
  /** State of the database that the memory has; undefined where asking for it takes a query. */
  let arrived: number | undefined;

  const facts: ImageFacts = {
    verdicts: {
      verdictOf(reference) {
        const quarantine = memory.quarantineOf(reference);
        if (quarantine) return quarantine;
        const answer = memory.about(reference);
        return answer?.kind === 'known' ? toldAt(memory, reference, answer, deps.clock.now()) : undefined;
      },
    },
    mirrors: { addressOf: (reference) => memory.copyOf(reference) },
    digests: memory,
  };

  async function follow(): Promise<void> {
    const { images } = await db
      .selectFrom('manifests')
      .select(({ fn }) => fn.countAll().as('images'))
      .executeTakeFirstOrThrow();
    if (Number(images) > (deps.mostImages ?? MOST_IMAGES)) {
      logger.info({ images: Number(images) }, 'too many images to keep in memory: reviews read the database');
      return;
    }
    let cursor: string | undefined;
    while (!stopping.signal.aborted) {
      const before = stateNow();
      const waitMs = isCurrent && before === arrived ? WAIT_MS : 0;
      const page = await feed.read({ scope: EVERYTHING, cursor, waitMs, signal: stopping.signal });
      // A feed that is closed answers at once.
      await breathe();
      memory.apply(page);
      ({ cursor } = page);
      isCurrent = page.complete && memory.isFilled();
      arrived = before;
    }
  }

  return {
    factsAbout(references) {
      working ??= keepTrying(follow, {
        everyMs: AGAIN_MS,
        signal: stopping.signal,
        onFailure(error) {
          isCurrent = false;
          logger.warn({ problem: messageOf(error) }, 'what is known of images cannot be kept current');
        },
      });
      const upToDate = isCurrent && stateNow() === arrived;
      return upToDate ? facts : factsFromDatabase(deps, references);
    },
    async close() {
      stopping.abort();
      await working;
    },
  };
}

/** Gives the state where that costs nothing, else always undefined. */
function freeState(state: DatabaseState): () => number | undefined {
  const first = state();
  if (typeof first !== 'number') {
    first.catch(() => undefined);
    return () => undefined;
  }
  return () => {
    const now = state();
    return typeof now === 'number' ? now : undefined;
  };
}

/** Reads what is known of these images alone. */
async function factsFromDatabase(
  { db, verdicts, host }: Pick<Deps, 'db' | 'verdicts' | 'host'>,
  references: readonly Reference[],
): Promise<ImageFacts> {
  const judged = new Map<string, ImageVerdict>();
  const digests = new Map<string, Digest>();
  const copies = new Map<string, string>();
  const pinned = references.flatMap(({ digest }) => digest ?? []);
  const quarantined = pinned.length === 0 ? [] : await currentQuarantines(db, [...new Set(pinned)]);
  const contents = new Map(quarantined.map((line) => [line[0], line]));
  await Promise.all(
    references.map(async (reference) => {
      const key = formatReference(reference);
      const found = await verdicts.verdictByReference(reference);
      if (found) {
        const quarantined = quarantineOf(found.verdict) !== undefined;
        judged.set(key, {
          kind: found.verdict.kind,
          sentence: found.sentence,
          ...(quarantined ? { quarantined } : {}),
        });
        digests.set(key, found.digest);
        return;
      }
      const [, since, sentence] = contents.get(reference.digest ?? '') ?? [];
      if (typeof since === 'number' && sentence !== undefined) {
        judged.set(key, { kind: 'block', sentence, since, quarantined: true });
        return;
      }
      const copy = await findMirroredCopy(db, reference);
      if (copy) copies.set(key, `${host}/${copy}`);
    }),
  );
  return {
    verdicts: { verdictOf: (reference) => judged.get(formatReference(reference)) },
    mirrors: { addressOf: (reference) => copies.get(formatReference(reference)) },
    digests: { digestOf: (reference) => reference.digest ?? digests.get(formatReference(reference)) },
  };
}
