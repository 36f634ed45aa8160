import { compileEntries } from '../../trust/match/matcher.ts';
import { compilePrefixes } from '../../trust/match/prefixes.ts';
import { breachesOf, type ImageRule, type RuleMode } from './rule.ts';

/** `K8sAllowedRepos`: every image comes from one of `repos`. */
export function allowedRepos(repos: readonly string[], mode: RuleMode): ImageRule {
  if (mode === 'compat') {
    const prefixes = compilePrefixes(repos);
    return {
      breaches: (image) => breachesOf(prefixes.of(image) === undefined && 'repo'),
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
