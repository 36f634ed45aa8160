import { canNameImage } from '../constraints/image-bounds.ts';
import type { RunHistory } from '../constraints/live-workloads.ts';
import { type Digest, tryParseDigest } from '../oci/digest.ts';

/** A `RunHistory` in memory that can be kept elsewhere as plain JSON. */
export interface KeptRunHistory extends RunHistory {
  /** Sightings held now. */
  readonly size: number;
  /** Characters of their texts. */
  readonly characters: number;
  /** Plain JSON for `load`; of the owners seen last, with `most` at most so many sightings, and as many texts as may be kept. */
  save(most?: number): unknown;
  /** Takes in what `save` gave, here or in another replica; the earlier sighting counts. What has another form is passed over. */
  load(value: unknown): void;
}

/** First sightings of one image text for one owner, epoch ms. */
interface Sightings {
  /** Whatever the digest. */
  earliest: number;
  /** By digest; the empty text for sightings without one. */
  readonly byDigest: Map<Digest | '', number>;
}

const MOST_SIGHTINGS = 200_000;
/** Characters of their texts; an image of usual length has 80, and each owner has its own. */
const MOST_CHARACTERS = 24 * 1024 * 1024;
/** What is saved is compressed, but read as a whole. */
const MOST_SAVED_CHARACTERS = 4 * 1024 * 1024;
const LONGEST_UID = 256;
/** One owner may not push out everybody else's: a tag that moves every hour, a runner that makes Jobs of any image. */
const MOST_IMAGES = 256;
const MOST_DIGESTS = 32;

/**
 * Remembers which images ran for which owner. Bounded: beyond `most` sightings, or too much text, the owner that was not
 * seen for the longest time is forgotten, whole. A text too long to name an image never ran.
 */
export function createRunHistory(most = MOST_SIGHTINGS): KeptRunHistory {
  /** Owners in the order they were last seen. */
  const owners = new Map<string, Map<string, Sightings>>();
  let size = 0;
  let characters = 0;

  function forgetOldest(): void {
    const images = dropFirst(owners);
    size -= countOf(images);
    characters -= charactersOf(images);
  }

  function record(seen: { ownerUid: string; image: string; digest?: Digest | undefined; at: number }): void {
    const { ownerUid, image, at } = seen;
    if (ownerUid === '' || ownerUid.length > LONGEST_UID || !canNameImage(image) || !Number.isFinite(at)) return;
    const images = owners.get(ownerUid) ?? new Map<string, Sightings>();
    owners.delete(ownerUid);
    owners.set(ownerUid, images);
    let sightings = images.get(image);
    if (sightings === undefined) {
      if (images.size >= MOST_IMAGES) forgetFirstOf(images);
      sightings = { earliest: at, byDigest: new Map() };
      images.set(image, sightings);
      characters += image.length;
    }
    const { byDigest } = sightings;
    const digest = seen.digest ?? '';
    const known = byDigest.get(digest);
    if (known === undefined) {
      if (byDigest.size >= MOST_DIGESTS) {
        const [first = ''] = byDigest.keys();
        byDigest.delete(first);
        size -= 1;
        characters -= first.length;
      }
      size += 1;
      characters += digest.length;
    }
    if (known === undefined || at < known) byDigest.set(digest, at);
    if (at < sightings.earliest) sightings.earliest = at;
    while ((size > most || characters > MOST_CHARACTERS) && owners.size > 1) forgetOldest();
  }

  function forgetFirstOf(images: Map<string, Sightings>): void {
    const [first] = images;
    if (first === undefined) return;
    const [image, { byDigest }] = first;
    images.delete(image);
    size -= byDigest.size;
    characters -= charactersOf([first]);
  }

  return {
    get size() {
      return size;
    },
    get characters() {
      return characters;
    },
    record,
    firstSeen(ownerUid, image, digest) {
      const sightings = owners.get(ownerUid)?.get(image);
      return digest === undefined ? sightings?.earliest : sightings?.byDigest.get(digest);
    },
    save(limit = Number.POSITIVE_INFINITY) {
      const saved: unknown[] = [];
      let room = limit;
      let text = MOST_SAVED_CHARACTERS;
      for (const [uid, images] of [...owners].toReversed()) {
        room -= countOf(images);
        text -= charactersOf(images);
        if (room < 0 || text < 0) break;
        saved.push([uid, [...images].map(([image, { byDigest }]) => [image, [...byDigest]])]);
      }
      return { version: 1, owners: saved.reverse() };
    },
    load(value) {
      for (const [ownerUid, images] of pairsIn(fieldOf(value, 'owners'))) {
        for (const [image, sightings] of pairsIn(images)) {
          for (const [text, at] of pairsIn(sightings)) {
            const digest = tryParseDigest(text);
            if (typeof at === 'number' && (text === '' || digest)) record({ ownerUid, image, digest, at });
          }
        }
      }
    },
  };
}

function countOf(images: ReadonlyMap<string, Sightings> | undefined): number {
  let count = 0;
  for (const { byDigest } of images?.values() ?? []) count += byDigest.size;
  return count;
}

function charactersOf(images: Iterable<readonly [string, Sightings]> = []): number {
  let count = 0;
  for (const [image, { byDigest }] of images) {
    count += image.length;
    for (const digest of byDigest.keys()) count += digest.length;
  }
  return count;
}

/** Takes out what has been in a map the longest. */
function dropFirst<Value>(map: Map<string, Value>): Value | undefined {
  const [first] = map;
  if (first === undefined) return undefined;
  map.delete(first[0]);
  return first[1];
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, field)
    ? (value as Record<string, unknown>)[field]
    : undefined;
}

/** The `[text, anything]` pairs of a list; everything else is left out. */
function pairsIn(value: unknown): [string, unknown][] {
  return Array.isArray(value)
    ? value.filter((pair): pair is [string, unknown] => Array.isArray(pair) && typeof pair[0] === 'string')
    : [];
}
