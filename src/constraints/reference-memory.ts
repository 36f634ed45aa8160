import { REFERENCE_GRAMMAR, type Reference, tryParseReference } from '../oci/reference.ts';

/** Clusters run the same few thousand images over and over. */
const MOST_KEPT = 8192;
const kept = new Map<string, Reference | undefined>();

/** `tryParseReference`, remembering the last few thousand texts. A text too long for a reference is none, and is not kept. */
export function parseReferenceOnce(text: string): Reference | undefined {
  if (text.length > REFERENCE_GRAMMAR.longestText) return undefined;
  const known = kept.get(text);
  if (known !== undefined || kept.has(text)) return known;
  const parsed = tryParseReference(text);
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(text, parsed);
  return parsed;
}
