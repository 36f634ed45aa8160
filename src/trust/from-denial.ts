import { tryParseReference } from '../oci/reference.ts';

/** Where the three styles of message name the image. */
const IMAGES = [
  /has an invalid image repo "((?:[^"\\]|\\.)+)"/,
  /has an invalid image repo <([^<>]+)>/,
  /does not have an allowed image registry <([^<>]+)>/,
];
const LONGEST = 20_000;

/**
 * The entry to propose after a denial, from its message as `kubectl` shows it: the repository of the image, which is the least that lets
 * it in and goes on doing so with the next tag. Undefined when the text names no image that could be trusted.
 */
export function entryFromDenial(message: string): string | undefined {
  const text = message.slice(0, LONGEST);
  for (const pattern of IMAGES) {
    const [, image] = pattern.exec(text) ?? [];
    const reference = image === undefined ? undefined : tryParseReference(image);
    if (reference) return `${reference.registry}/${reference.repository}`;
  }
  return undefined;
}
