import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';

/** What the registry's verdict means for somebody who is about to run the image. */
export interface ImageVerdict {
  /** `unknown`: the image is ours, but what is known about it is missing or too old to be relied on. */
  readonly kind: 'allow' | 'warn' | 'block' | 'unknown';
  /** One sentence without a line break: the worst vulnerability, its package, the fixed version; or the age of what is known. */
  readonly sentence: string;
  /** Since when it says so, epoch ms, where that is known. */
  readonly since?: number;
  /** Its content is under quarantine: it is told whatever registry the image comes from, and nothing overrides it. */
  readonly quarantined?: true;
}

/** Stored verdicts by reference. Local data, no network; undefined = this image is not judged here. */
export interface VerdictLookup {
  verdictOf(reference: Reference): ImageVerdict | undefined;
}

/** Where a copy of an image is served from here; undefined = there is none. Local data, no network. */
export interface MirrorLookup {
  addressOf(reference: Reference): string | undefined;
}

/** Which manifest a reference names now. Local data, no network; undefined = not known here. */
export interface DigestLookup {
  digestOf(reference: Reference): Digest | undefined;
}

/** What is known here about some images, in memory: with it a decision is pure. */
export interface ImageFacts {
  readonly verdicts: VerdictLookup;
  readonly mirrors: MirrorLookup;
  readonly digests: DigestLookup;
}

/** Reads the facts about the images of one request or one page of objects together. Local data, no network. */
export interface ImageFactsSource {
  factsAbout(references: readonly Reference[]): ImageFacts | Promise<ImageFacts>;
}

export const NO_FACTS: ImageFacts = {
  verdicts: { verdictOf: () => undefined },
  mirrors: { addressOf: () => undefined },
  digests: { digestOf: (reference) => reference.digest },
};
