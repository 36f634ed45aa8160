import { rawPatterns, referencePatterns } from './image-pattern.ts';
import { breachesOf, type ImageRule, type RuleMode } from './rule.ts';

/** `K8sAllowedReposv2`: every image is one of `allowedImages`, whole texts or beginnings with a final `*`. */
export function allowedReposV2(allowedImages: readonly string[], mode: RuleMode): ImageRule {
  const patterns = mode === 'reference' ? referencePatterns(allowedImages) : rawPatterns(allowedImages);
  return {
    breaches: (image, reference) => breachesOf(!patterns.matches(image, reference) && 'repo'),
    list: allowedImages,
    problems: patterns.problems,
  };
}
