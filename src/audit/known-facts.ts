import type { ImageFacts, ImageFactsSource, ImageVerdict } from '../constraints/image-facts.ts';
import { type Reference, tryParseReference } from '../oci/reference.ts';
import { toCanonical } from './reference-key.ts';

/** What is known about the images of a cluster at one time. */
export interface KnownFacts {
  readonly facts: ImageFacts;
  /** What is known about each image that anything is known about, as a text that is equal while that is. */
  readonly prints: ReadonlyMap<string, string>;
}

const ASKED_AT_ONCE = 500;

/** Asks for the facts about all images, by their texts, a part at a time. */
export async function readKnownFacts(source: ImageFactsSource, images: Iterable<string>): Promise<KnownFacts> {
  const verdicts = new Map<string, ImageVerdict>();
  const addresses = new Map<string, string>();
  const prints = new Map<string, string>();
  let asked: [image: string, reference: Reference][] = [];
  async function ask(): Promise<void> {
    const facts = await source.factsAbout(asked.map(([, reference]) => reference));
    for (const [image, reference] of asked) {
      const verdict = facts.verdicts.verdictOf(reference);
      const address = facts.mirrors.addressOf(reference);
      const key = toCanonical(reference);
      if (verdict) verdicts.set(key, verdict);
      if (address !== undefined) addresses.set(key, address);
      if (verdict || address !== undefined) prints.set(image, JSON.stringify([verdict, address]));
    }
    asked = [];
  }
  for (const image of images) {
    const reference = tryParseReference(image);
    if (reference === undefined) continue;
    asked.push([image, reference]);
    if (asked.length === ASKED_AT_ONCE) await ask();
  }
  if (asked.length > 0) await ask();
  const facts: ImageFacts = {
    verdicts: { verdictOf: (reference) => verdicts.get(toCanonical(reference)) },
    mirrors: { addressOf: (reference) => addresses.get(toCanonical(reference)) },
    digests: { digestOf: (reference) => reference.digest },
  };
  return { facts, prints };
}

/** Images about which something else is known than before. */
export function changedImages(before: KnownFacts, now: KnownFacts): Set<string> {
  const changed = new Set<string>();
  for (const [image, print] of now.prints) if (before.prints.get(image) !== print) changed.add(image);
  for (const image of before.prints.keys()) if (!now.prints.has(image)) changed.add(image);
  return changed;
}
