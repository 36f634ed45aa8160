import { REFERENCE_GRAMMAR } from '../oci/reference.ts';
import type { Words } from './messages.ts';
import { excessMessage } from './messages.ts';
import type { WorkloadImage } from './workload.ts';

/** Whether an image is new to the object that is judged. */
export type Brings = (image: string) => boolean;

/** An image that stands for many, and what is said about them. */
export interface Excess {
  readonly image: WorkloadImage;
  readonly message: string;
}

/**
 * Images of one object that are judged. No node runs a pod of as many, and judging them all under every constraint would
 * keep other reviews waiting until the API server goes on without them. Gatekeeper has no bound but its time.
 */
export const MOST_JUDGED = { own: 1000, compat: 2500 } as const;

/** True for a text that can name an image. Longer ones are trusted by nothing, and nothing remembers them. */
export function canNameImage({ length }: string): boolean {
  return length > 0 && length <= REFERENCE_GRAMMAR.longestText;
}

/** What stands for the images of an object that has more than are judged; undefined when they are judged. */
export function excessOf(images: readonly WorkloadImage[], most: number, brings: Brings): Excess | undefined {
  const image = images.length > most ? oneOf(images, brings) : undefined;
  return image && { image, message: excessMessage(images.length, most) };
}

/** One that stands for all of them: a new one where there is one, since what was there before is never denied. */
export function oneOf(images: readonly WorkloadImage[], brings: Brings): WorkloadImage | undefined {
  return images.find(({ image }) => brings(image)) ?? images[0];
}

/** What one object may be told about in full; beyond it what breaks a rule is counted. */
export interface Room {
  /** Lines under one constraint. */
  readonly lines: number;
  /** Characters that are left, of all constraints together. */
  characters: number;
}

/** Far more than anybody reads. Gatekeeper has no bound, and its lists stand whole in every line. */
export function roomFor(): { readonly own: Room; readonly compat: Room } {
  return {
    own: { lines: 100, characters: 1024 * 1024 },
    compat: { lines: Number.POSITIVE_INFINITY, characters: 4 * 1024 * 1024 },
  };
}

/** Lines that are only counted need no words, which cost more than all else. */
export const UNSAID: Words = { breach: () => '' };
