import type { Digest } from './digest.ts';

const LONGEST_ALGORITHM = 32;
const LONGEST_ENCODED = 64;

/**
 * The tag under which registries without a referrers list keep what refers to a manifest (distribution-spec, "Referrers Tag
 * Schema"): algorithm and digest, cut to the length of a tag.
 */
export function referrersTagOf(subject: Digest): string {
  const colon = subject.indexOf(':');
  const algorithm = subject.slice(0, colon).slice(0, LONGEST_ALGORITHM);
  const encoded = subject.slice(colon + 1).slice(0, LONGEST_ENCODED);
  return `${algorithm}-${encoded}`.replaceAll(/[^A-Za-z0-9._-]/g, '-');
}
