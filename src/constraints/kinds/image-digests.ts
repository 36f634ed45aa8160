import { rawPatterns, referencePatterns } from './image-pattern.ts';
import { breachesOf, type ImageRule, type RuleMode } from './rule.ts';

/** As the library looks for one: anything that resembles a digest, of any length, anywhere in the text. */
const RAW_DIGEST = /@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+/;

/** `K8sImageDigests`: every image is named by a digest, and by a well-formed one. */
export function imageDigests(exemptImages: readonly string[], mode: RuleMode): ImageRule {
  const raw = mode !== 'reference';
  const exempt = raw ? rawPatterns(exemptImages) : referencePatterns(exemptImages);
  return {
    breaches(image, reference) {
      const named = raw ? RAW_DIGEST.test(image) : reference?.digest !== undefined;
      return breachesOf(!named && !exempt.matches(image, reference) && 'no-digest');
    },
    list: [],
    problems: exempt.problems,
  };
}
