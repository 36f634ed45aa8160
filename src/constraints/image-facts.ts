import type { Reference } from '../oci/reference.ts';

/** What the registry's verdict means for somebody who is about to run the image. */
export interface ImageVerdict {
  readonly kind: 'allow' | 'warn' | 'block';
  /** One sentence without a line break: the worst vulnerability, its package, the fixed version. */
  readonly sentence: string;
}

/** Stored verdicts by reference. Local data, no network; undefined = this image is not judged here. */
export interface VerdictLookup {
  verdictOf(reference: Reference): ImageVerdict | undefined;
}

/** Where a copy of an image is served from here; undefined = there is none. Local data, no network. */
export interface MirrorLookup {
  addressOf(reference: Reference): string | undefined;
}

/** What is known here about some images, in memory: with it a decision is pure. */
export interface ImageFacts {
  readonly verdicts: VerdictLookup;
  readonly mirrors: MirrorLookup;
}

/** Reads the facts about the images of one request or one page of objects together. Local data, no network. */
export interface ImageFactsSource {
  factsAbout(references: readonly Reference[]): Promise<ImageFacts>;
}

export const NO_FACTS: ImageFacts = {
  verdicts: { verdictOf: () => undefined },
  mirrors: { addressOf: () => undefined },
};
