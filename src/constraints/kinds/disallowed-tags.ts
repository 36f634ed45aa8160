import type { Reference } from '../../oci/reference.ts';
import { rawPatterns, referencePatterns } from './image-pattern.ts';
import { type Breach, breachesOf, type ImageRule, type RuleMode } from './rule.ts';

/** `K8sDisallowedTags`: every image has a tag, and none of `tags`; with a well-formed digest the digest decides. */
export function disallowedTags(tags: readonly string[], exemptImages: readonly string[], mode: RuleMode): ImageRule {
  const raw = mode !== 'reference';
  const exempt = raw ? rawPatterns(exemptImages) : referencePatterns(exemptImages);
  const suffixes = tags.map((tag) => `:${tag}`);
  const disallowed = new Set(tags);
  return {
    breaches(image, reference) {
      if (exempt.matches(image, reference)) return breachesOf();
      if (raw) {
        const lastSegment = image.slice(image.lastIndexOf('/') + 1);
        return breachesOf(
          suffixes.some((suffix) => image.endsWith(suffix)) && 'tag',
          !lastSegment.includes(':') && 'no-tag',
        );
      }
      return reference === undefined ? ['unreadable'] : tagBreaches(reference, disallowed);
    },
    list: tags,
    problems: exempt.problems,
  };
}

function tagBreaches({ tag, digest }: Reference, disallowed: ReadonlySet<string>): readonly Breach[] {
  if (digest !== undefined) return breachesOf();
  if (tag === undefined) return ['no-tag'];
  return breachesOf(disallowed.has(tag) && 'tag');
}
