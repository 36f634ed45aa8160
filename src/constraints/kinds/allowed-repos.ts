import { compileEntries } from '../../trust/match/matcher.ts';
import { breachesOf, type ImageRule, type RuleMode } from './rule.ts';

/** `K8sAllowedRepos`: every image comes from one of `repos`. */
export function allowedRepos(repos: readonly string[], mode: RuleMode): ImageRule {
  if (mode === 'compat') {
    return {
      breaches: (image) => breachesOf(!repos.some((prefix) => image.startsWith(prefix)) && 'repo'),
      list: repos,
      problems: [],
    };
  }
  const trusted = compileEntries(repos, mode);
  return {
    breaches: (image, reference) => breachesOf(trusted.match(image, reference) === undefined && 'repo'),
    list: repos,
    problems: trusted.problems,
  };
}
