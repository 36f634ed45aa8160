import type { Reference } from '../../oci/reference.ts';
import { rawPatterns, referencePatterns } from './image-pattern.ts';
import { type Breach, breachesOf, type ImageRule, type RuleMode } from './rule.ts';

/** `K8sDisallowedTags`: every image has a tag, and none of `tags`; with a well-formed digest the digest decides. */
export function disallowedTags(tags: readonly string[], exemptImages: readonly string[], mode: RuleMode): ImageRule {
  const raw = mode !== 'reference';
  const exempt = raw ? rawPatterns(exemptImages) : referencePatterns(exemptImages);
  const disallowed = new Set(tags);
  const endsInTag = raw ? tagEndings(disallowed) : () => false;
  return {
    breaches(image, reference) {
      if (exempt.matches(image, reference)) return breachesOf();
      if (raw) {
        const lastSegment = image.slice(image.lastIndexOf('/') + 1);
        return breachesOf(endsInTag(image) && 'tag', !lastSegment.includes(':') && 'no-tag');
      }
      return reference === undefined ? ['unreadable'] : tagBreaches(reference, disallowed);
    },
    list: tags,
    problems: exempt.problems,
  };
}

/** Whether a text ends in `:` and one of the tags, which may have a `:` of their own in raw text. */
function tagEndings(tags: ReadonlySet<string>): (image: string) => boolean {
  const longest = [...tags].reduce((most, tag) => Math.max(most, tag.length), 0);
  return (image) => {
    if (tags.size === 0) return false;
    const end = image.length - longest - 1;
    for (let colon = image.lastIndexOf(':'); colon >= 0 && colon >= end; colon = image.lastIndexOf(':', colon - 1)) {
      if (tags.has(image.slice(colon + 1))) return true;
      if (colon === 0) return false;
    }
    return false;
  };
}

function tagBreaches({ tag, digest }: Reference, disallowed: ReadonlySet<string>): readonly Breach[] {
  if (digest !== undefined) return breachesOf();
  if (tag === undefined) return ['no-tag'];
  return breachesOf(disallowed.has(tag) && 'tag');
}
