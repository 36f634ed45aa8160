import { messageOf } from '../../platform/errors.ts';
import { parseEntry, type TrustEntry, TrustEntryError } from '../../trust/match/entry.ts';
import { entryCovers } from '../../trust/match/matcher.ts';
import { breachesOf, type ImageRule, type RuleMode } from './rule.ts';
import { servedEntry, servedReference } from './served-by.ts';

/**
 * `K8sDisallowedRepos`: no image comes from one of `repos`. An entry that is no reference keeps its meaning as raw text:
 * here, unlike in a list of what is trusted, dropping it would let images through. For the same reason the other names of
 * a registry count as the registry.
 */
export function disallowedRepos(repos: readonly string[], mode: RuleMode): ImageRule {
  if (mode !== 'reference') {
    return {
      breaches: (image) => breachesOf(repos.some((prefix) => image.startsWith(prefix)) && 'repo'),
      list: repos,
      problems: [],
    };
  }
  const problems: string[] = [];
  const prefixes: string[] = [];
  const entries: TrustEntry[] = [];
  for (const text of repos) {
    try {
      entries.push(parseEntry(servedEntry(text)));
    } catch (error) {
      if (!(error instanceof TrustEntryError)) throw error;
      problems.push(`${messageOf(error)}; it is compared as the beginning of image texts`);
      prefixes.push(text);
    }
  }
  return {
    breaches(image, reference) {
      if (reference === undefined) return ['unreadable'];
      const served = servedReference(reference);
      const covered =
        entries.some((entry) => entryCovers(entry, served)) || prefixes.some((prefix) => image.startsWith(prefix));
      return breachesOf(covered && 'repo');
    },
    list: repos,
    problems,
  };
}
