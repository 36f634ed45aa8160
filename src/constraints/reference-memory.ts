import { type Reference, tryParseReference } from '../oci/reference.ts';

/** Clusters run the same few thousand images over and over. */
const MOST_KEPT = 8192;
const kept = new Map<string, Reference | undefined>();

/** `tryParseReference`, remembering the last few thousand texts. */
export function parseReferenceOnce(text: string): Reference | undefined {
  const known = kept.get(text);
  if (known !== undefined || kept.has(text)) return known;
  const parsed = tryParseReference(text);
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(text, parsed);
  return parsed;
}
