import { formatReference, tryParseReference } from '../../oci/reference.ts';
import { parseEntry, type TrustEntry, TrustEntryError } from '../../trust/match/entry.ts';
import type { Constraint } from '../constraint.ts';
import { normalisePrefix } from '../kinds/image-pattern.ts';
import type { Breach } from '../kinds/rule.ts';
import { servedEntry } from '../kinds/served-by.ts';
import { allOf, anyOf, type CelSet, type CelVariable, celPattern, celSet, codePoints } from './cel.ts';
import { SOURCE_VARIABLES } from './image-variables.ts';

/** What a rule asks of the image `i`, in CEL: `images` or `refs` are walked, and the breaches tried in order. */
export interface RuleExpressions {
  readonly variables: readonly CelVariable[];
  /** The list to walk. */
  readonly over: 'images' | 'refs' | 'sources';
  readonly breaches: readonly { readonly breach: Breach; readonly when: string }[];
}

/** As Gatekeeper's library looks for a digest. */
const RAW_DIGEST = /@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+/;
const FULL_TEXT = 'i.full + (i.tag == "" ? "" : ":" + i.tag) + (i.digest == "" ? "" : "@" + i.digest)';

export interface RuleParameters {
  readonly list: readonly string[];
  readonly exemptImages: readonly string[];
}

/** The rule of a constraint, as its engine (`kinds/`) has it. */
export function ruleExpressions(constraint: Constraint, parameters: RuleParameters): RuleExpressions {
  const { kind, options } = constraint;
  const reference = !options.compat && options.matching === 'reference';
  const { list, exemptImages } = parameters;
  switch (kind) {
    case 'K8sAllowedRepos':
      return reference ? allowedByReference(list) : allowedByPrefix(options.compat ? list : list.filter(Boolean));
    case 'K8sAllowedReposv2': {
      const patterns = patternExpressions('allowed', list, reference);
      const bad = [{ breach: 'repo', when: `!(${patterns.when})` } as const];
      return { variables: patterns.variables, over: reference ? 'refs' : 'images', breaches: bad };
    }
    case 'K8sDisallowedRepos':
      return reference ? forbiddenByReference(list) : forbiddenByPrefix(list);
    case 'K8sDisallowedTags':
      return disallowedTags(list, exemptImages, reference);
    case 'K8sImageDigests':
      return imageDigests(exemptImages, reference);
  }
}

function allowedByPrefix(list: readonly string[]): RuleExpressions {
  const prefixes = celSet('prefixes', list);
  const breaches = [{ breach: 'repo', when: `!(${prefixes.hasBeginningOf('i.image')})` } as const];
  return { variables: prefixes.variables, over: 'images', breaches };
}

function forbiddenByPrefix(list: readonly string[]): RuleExpressions {
  const prefixes = celSet('prefixes', list);
  const breaches = [{ breach: 'repo', when: prefixes.hasBeginningOf('i.image') } as const];
  return { variables: prefixes.variables, over: 'images', breaches };
}

function allowedByReference(list: readonly string[]): RuleExpressions {
  const covered = entryExpressions(list.flatMap((text) => tryParseEntry(text) ?? []));
  const when = `!(i.ok == "ok" && (${covered.when}))`;
  return { variables: covered.variables, over: 'refs', breaches: [{ breach: 'repo', when }] };
}

function forbiddenByReference(list: readonly string[]): RuleExpressions {
  const entries = list.map((text) => ({ text, entry: tryParseEntry(servedEntry(text)) }));
  const covered = entryExpressions(entries.flatMap(({ entry }) => entry ?? []));
  const raw = celSet(
    'prefixes',
    entries.flatMap(({ text, entry }) => (entry === undefined ? [text] : [])),
  );
  return {
    variables: [...SOURCE_VARIABLES, ...covered.variables, ...raw.variables],
    over: 'sources',
    breaches: [
      { breach: 'unreadable', when: 'i.ok == ""' },
      { breach: 'repo', when: anyOf([covered.when, raw.hasBeginningOf('i.image')]) },
    ],
  };
}

/** What `entryCovers` says, for all entries together. */
function entryExpressions(entries: readonly TrustEntry[]): { variables: readonly CelVariable[]; when: string } {
  const below: string[] = [];
  const whole: string[] = [];
  const tagged: string[] = [];
  const pinned: string[] = [];
  for (const { scope, registry, path, onlyBelow, tag, digest } of entries) {
    if (path === undefined) below.push(`${registry}/`);
    else if (scope === 'digest') pinned.push(`${registry}/${path}@${digest ?? ''}`);
    else if (scope === 'tag') tagged.push(`${registry}/${path}:${tag ?? ''}`);
    else {
      below.push(`${registry}/${path}/`);
      if (!onlyBelow) whole.push(`${registry}/${path}`);
    }
  }
  const sets = {
    below: celSet('below', below),
    whole: celSet('whole', whole),
    tagged: celSet('tagged', tagged),
    pinned: celSet('pinned', pinned),
  };
  const official = 'i.full.startsWith("docker.io/library/") && !i.full.substring(18).contains("/")';
  // A bare digest has no tag, a bare name has the tag latest.
  const tagText = 'i.full + ":" + (i.tag == "" ? "latest" : i.tag)';
  return {
    variables: Object.values(sets).flatMap(({ variables }) => variables),
    when: anyOf([
      sets.below.hasBeginningOf('i.full'),
      sets.whole.has('i.full'),
      sets.whole.isEmpty ? 'false' : `${official} && ${sets.whole.has('"docker.io/" + i.full.substring(18)')}`,
      sets.tagged.isEmpty ? 'false' : `(i.tag != "" || i.digest == "") && ${sets.tagged.has(`(${tagText})`)}`,
      sets.pinned.isEmpty ? 'false' : `i.digest != "" && ${sets.pinned.has('(i.full + "@" + i.digest)')}`,
    ]),
  };
}

function disallowedTags(tags: readonly string[], exemptImages: readonly string[], reference: boolean): RuleExpressions {
  const exempt = patternExpressions('exempt', exemptImages, reference);
  const strict = `!(${exempt.when})`;
  if (reference) {
    const disallowed = celSet('disallowed', tags);
    return {
      variables: [...exempt.variables, ...disallowed.variables],
      over: 'refs',
      breaches: [
        { breach: 'unreadable', when: allOf([strict, 'i.ok == ""']) },
        { breach: 'no-tag', when: allOf([strict, 'i.digest == "" && i.tag == ""']) },
        { breach: 'tag', when: allOf([strict, 'i.digest == ""', disallowed.has('i.tag')]) },
      ],
    };
  }
  const suffixes = celSet(
    'suffixes',
    tags.map((tag) => `:${tag}`),
  );
  const lengths = [...new Set(tags.map((tag) => codePoints(tag) + 1))];
  const ends = suffixes.isEmpty
    ? 'false'
    : `[${lengths.join(', ')}].exists(n, size(i.image) >= n && ${suffixes.has('i.image.substring(size(i.image) - n)')})`;
  const untagged = '!i.image.substring(i.image.lastIndexOf("/") + 1).contains(":")';
  return {
    variables: [...exempt.variables, ...suffixes.variables],
    over: 'images',
    breaches: [
      { breach: 'tag', when: allOf([strict, ends]) },
      { breach: 'no-tag', when: allOf([strict, untagged]) },
    ],
  };
}

function imageDigests(exemptImages: readonly string[], reference: boolean): RuleExpressions {
  const exempt = patternExpressions('exempt', exemptImages, reference);
  const named = reference ? 'i.ok == "ok" && i.digest != ""' : `i.image.matches(${celPattern(RAW_DIGEST)})`;
  return {
    variables: exempt.variables,
    over: reference ? 'refs' : 'images',
    breaches: [{ breach: 'no-digest', when: `!(${named}) && !(${exempt.when})` }],
  };
}

/** What `rawPatterns` and `referencePatterns` say. */
function patternExpressions(
  name: string,
  patterns: readonly string[],
  reference: boolean,
): { variables: readonly CelVariable[]; when: string } {
  const beginnings = patterns.filter((one) => one.endsWith('*')).map((one) => one.slice(0, -1));
  const whole = patterns.filter((one) => !one.endsWith('*'));
  if (!reference) {
    const [exact, prefixes] = [celSet(name, whole), celSet(`${name}Prefixes`, beginnings)];
    return {
      variables: [...exact.variables, ...prefixes.variables],
      when: anyOf([exact.has('i.image'), prefixes.hasBeginningOf('i.image')]),
    };
  }
  const exact = celSet(
    name,
    whole.flatMap((text) => exactKey(text) ?? []),
  );
  const prefixes: CelSet = celSet(`${name}Prefixes`, beginnings.map(normalisePrefix));
  const key = 'i.digest != "" ? i.full + "@" + i.digest : i.full + ":" + (i.tag == "" ? "latest" : i.tag)';
  const found = anyOf([
    exact.isEmpty ? 'false' : exact.has(`(${key})`),
    exact.isEmpty ? 'false' : `i.digest != "" && i.tag != "" && ${exact.has('(i.full + ":" + i.tag)')}`,
    prefixes.isEmpty ? 'false' : prefixes.hasBeginningOf(`(${FULL_TEXT})`),
  ]);
  return { variables: [...exact.variables, ...prefixes.variables], when: `i.ok == "ok" && (${found})` };
}

/** The digest is the identity; without tag and digest a client asks for `latest`. */
function exactKey(text: string): string | undefined {
  const reference = tryParseReference(text);
  if (reference === undefined) return undefined;
  const { registry, repository, tag, digest } = reference;
  return digest === undefined
    ? formatReference({ registry, repository, tag: tag ?? 'latest' })
    : formatReference({ registry, repository, digest });
}

function tryParseEntry(text: string): TrustEntry | undefined {
  try {
    return parseEntry(text);
  } catch (error) {
    if (error instanceof TrustEntryError) return undefined;
    throw error;
  }
}
