import type { CoverageGap, Distribution, Package } from '../../model/inventory.ts';
import { compareVersions } from '../versions/index.ts';
import { advisedNames, withoutEpochs } from './advised-names.ts';
import { concerns, isModular, isRestricted } from './concerns.ts';
import { ecosystemsOf, schemeOf } from './ecosystem.ts';
import { type Match, matchOf } from './finding.ts';
import { type Claim, groupByVulnerability, type VulnerabilityGroup } from './groups.ts';
import { compareCanonical } from './ids.ts';
import type { AdvisoryLookup } from './lookup.ts';
import { incomparable } from './match-gaps.ts';
import { identityOf } from './package-copies.ts';

/** Answers for packages kept at hand, and findings in them: images of one base share nearly all of theirs. */
const KEPT_PACKAGES = 20_000;
const KEPT_FINDINGS = 50_000;
const KEPT_DISTRIBUTIONS = 1000;

/** What advisories say about one package, wherever it lies. */
export interface Answer {
  /** Empty when no ecosystem stands for it. */
  readonly ecosystems: readonly string[];
  readonly matches: readonly Match[];
  readonly gap?: CoverageGap;
}

/** Answers for the packages of a distribution, the same function for the same one; remembers its answers, bounded. */
export function createPackageMatcher(
  lookup: AdvisoryLookup,
): (distribution: Distribution | undefined) => (pkg: Package) => Answer {
  const advisories = withKeptFacts(lookup);
  const groupsOf = createGroupCache(advisories);
  const lists = new Map<string, readonly string[]>();
  const kept = new Map<string, Map<string, Answer>>();
  let packages = 0;
  let findings = 0;

  /** The same list for the same ecosystems, so that lists can be told apart at a glance. */
  function shared(list: readonly string[]): readonly string[] {
    const key = list.join('\n');
    const known = lists.get(key) ?? list;
    lists.set(key, known);
    return known;
  }

  function answer(pkg: Package, distribution: Distribution | undefined): Answer {
    const ecosystems = shared(ecosystemsOf(pkg, distribution, advisories));
    const [first = ''] = ecosystems;
    const scheme = schemeOf(first);
    if (scheme === undefined) return { ecosystems: [], matches: [] };
    const names = advisedNames(pkg, first);
    const groups = groupsOf(pkg, ecosystems, names);
    const bad = names.find(({ version }) => compareVersions(scheme, version, version) === undefined);
    const matches = groups
      .flatMap((group) => matchOf({ pkg, names, scheme }, group, advisories) ?? [])
      .sort((a, b) => compareCanonical(a.id, b.id));
    return {
      ecosystems,
      matches,
      ...(bad && groups.length > 0 ? { gap: incomparable(pkg, bad.version, scheme) } : {}),
    };
  }

  function forget(): void {
    kept.clear();
    packages = 0;
    findings = 0;
  }

  const matchers = new Map<string, (pkg: Package) => Answer>();

  const ofDistributions = new WeakMap<Distribution, (pkg: Package) => Answer>();

  return (distribution) => {
    if (distribution === undefined) return sharedMatcher(distribution);
    const known = ofDistributions.get(distribution) ?? sharedMatcher(distribution);
    ofDistributions.set(distribution, known);
    return known;
  };

  function sharedMatcher(distribution: Distribution | undefined): (pkg: Package) => Answer {
    const { id, version, codename, prettyName, idLike, rolling } = distribution ?? {};
    const key = JSON.stringify([id, version, codename, prettyName, idLike, rolling]);
    const known = matchers.get(key) ?? matcherIn(key, distribution);
    if (matchers.size >= KEPT_DISTRIBUTIONS) matchers.clear();
    matchers.set(key, known);
    return known;
  }

  function matcherIn(key: string, distribution: Distribution | undefined): (pkg: Package) => Answer {
    return (pkg) => {
      const answers = kept.get(key) ?? new Map<string, Answer>();
      const identity = identityOf(pkg);
      const known = answers.get(identity);
      if (known) return known;
      const found = answer(pkg, distribution);
      if (packages >= KEPT_PACKAGES || findings >= KEPT_FINDINGS) forget();
      else kept.set(key, answers);
      answers.set(identity, found);
      packages += 1;
      findings += found.matches.length;
      return found;
    };
  }
}

/** Facts on vulnerabilities that are kept: every version of a package asks for the same ones. */
const KEPT_FACTS = 50_000;

function withKeptFacts(advisories: AdvisoryLookup): AdvisoryLookup {
  const kept = new Map<string, ReturnType<AdvisoryLookup['vulnerability']>>();
  return {
    sourcesOf: (ecosystem) => advisories.sourcesOf(ecosystem),
    ecosystemsUnder: (prefix) => advisories.ecosystemsUnder(prefix),
    advisoriesFor: (ecosystem, name) => advisories.advisoriesFor(ecosystem, name),
    vulnerability(id) {
      if (kept.has(id)) return kept.get(id);
      if (kept.size >= KEPT_FACTS) kept.clear();
      const facts = advisories.vulnerability(id);
      kept.set(id, facts);
      return facts;
    },
  };
}

interface Filed {
  readonly claims: readonly Claim[];
  /** All of them by vulnerability; absent where not every package of the name is meant by all. */
  readonly groups?: readonly VulnerabilityGroup[];
}

/** Names whose statements are kept grouped: binary packages of one source ask for the same ones after each other. */
const KEPT_GROUPS = 64;

/** What is said of a package by vulnerability; remembers what is filed under the last names, bounded. */
export function createGroupCache(
  advisories: AdvisoryLookup,
): (
  pkg: Package,
  ecosystems: readonly string[],
  names: ReturnType<typeof advisedNames>,
) => readonly VulnerabilityGroup[] {
  const kept = new Map<string, Filed>();

  function filedUnder(ecosystems: readonly string[], names: ReturnType<typeof advisedNames>): Filed {
    const key = JSON.stringify([ecosystems, names.map(({ name, withoutEpoch }) => [name, withoutEpoch])]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const claims = names.flatMap(({ name, withoutEpoch }, by): readonly Claim[] =>
      ecosystems.flatMap((ecosystem) =>
        advisories
          .advisoriesFor(ecosystem, name)
          .map((statement) => ({ statement: withoutEpoch ? withoutEpochs(statement) : statement, by })),
      ),
    );
    const restricted = claims.some(({ statement }) => isRestricted(statement));
    const found = restricted ? { claims } : { claims, groups: groupByVulnerability(claims) };
    if (kept.size >= KEPT_GROUPS) kept.clear();
    kept.set(key, found);
    return found;
  }

  return (pkg, ecosystems, names) => {
    const { claims, groups } = filedUnder(ecosystems, names);
    if (groups) return groups;
    const modular = claims.some(({ statement }) => isModular(statement));
    return groupByVulnerability(claims.filter(({ statement }) => concerns(pkg, statement, modular)));
  };
}
