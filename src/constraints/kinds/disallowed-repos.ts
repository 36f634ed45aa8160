import { messageOf } from '../../platform/errors.ts';
import { parseEntry, TrustEntryError } from '../../trust/match/entry.ts';
import { compileEntries } from '../../trust/match/matcher.ts';
import { compilePrefixes } from '../../trust/match/prefixes.ts';
import { breachesOf, type ImageRule, type RuleMode } from './rule.ts';
import { servedEntry, servedReference } from './served-by.ts';

/**
 * `K8sDisallowedRepos`: no image comes from one of `repos`. An entry that is no reference keeps its meaning as raw text:
 * here, unlike in a list of what is trusted, dropping it would let images through. For the same reason the other names of
 * a registry count as the registry.
 */
export function disallowedRepos(repos: readonly string[], mode: RuleMode): ImageRule {
  if (mode !== 'reference') {
    const raw = compilePrefixes(repos);
    return {
      breaches: (image) => breachesOf(raw.of(image) !== undefined && 'repo'),
      list: repos,
      problems: [],
    };
  }
  const problems: string[] = [];
  const beginnings: string[] = [];
  const entries: string[] = [];
  for (const text of repos) {
    try {
      const served = servedEntry(text);
      parseEntry(served);
      entries.push(served);
    } catch (error) {
      if (!(error instanceof TrustEntryError)) throw error;
      problems.push(`${messageOf(error)}; it is compared as the beginning of image texts`);
      beginnings.push(text);
    }
  }
  const named = compileEntries(entries);
  const prefixes = compilePrefixes(beginnings);
  return {
    breaches(image, reference) {
      if (reference === undefined) return ['unreadable'];
      const covered = named.match(image, servedReference(reference)) !== undefined || prefixes.of(image) !== undefined;
      return breachesOf(covered && 'repo');
    },
    list: repos,
    problems,
  };
}
