import type { AdvisorySource } from '../../model/coverage.ts';
import type { Finding } from '../../model/finding.ts';
import type { CoverageGap, Distribution, Inventory, Package } from '../../model/inventory.ts';
import { compareVersions } from '../versions/index.ts';
import { advisedNames, withoutEpochs } from './advised-names.ts';
import { isModular } from './concerns.ts';
import { ecosystemsOf, schemeOf } from './ecosystem.ts';
import { type Match, matchOf } from './finding.ts';
import { type Claim, groupByVulnerability, type VulnerabilityGroup } from './groups.ts';
import { compareCanonical } from './ids.ts';
import type { AdvisoryLookup } from './lookup.ts';
import { boundedLines, describeUnknown, incomparable, uncoverable, uncoveredLines } from './match-gaps.ts';
import { copiesOf, identityOf } from './package-copies.ts';

export interface MatchResult {
  /** One per canonical vulnerability and installed package, in the order of the packages, then of the ids. */
  readonly findings: readonly Finding[];
  /** Every source of the ecosystems found in the inventory. */
  readonly sources: readonly AdvisorySource[];
  /** Ecosystems with packages of which the database knows nothing: no findings there means nothing. */
  readonly missing: readonly string[];
  /** Ecosystems with packages for which no source is complete: what is found counts, silence does not. */
  readonly sampled: readonly string[];
  /** Packages whose version cannot be compared with advisories, and how many no advisory can cover. */
  readonly gaps: readonly CoverageGap[];
}

/** Answers for packages kept at hand, and findings in them: images of one base share nearly all of theirs. */
const KEPT_PACKAGES = 20_000;
const KEPT_FINDINGS = 50_000;

/** Matches an inventory with advisories. Pure and synchronous. */
export function matchInventory(inventory: Inventory, advisories: AdvisoryLookup): MatchResult {
  return createMatcher(advisories)(inventory);
}

/**
 * Matches inventories with one set of advisories that does not change. Packages are looked up by the names and under the
 * exact ecosystems that their distribution or language files advisories under. Remembers its answers for packages, bounded.
 */
export function createMatcher(advisories: AdvisoryLookup): (inventory: Inventory) => MatchResult {
  const answerOf = createPackageMatcher(advisories);
  return (inventory) => {
    const { distribution } = inventory;
    const findings: Finding[] = [];
    const incomparables: CoverageGap[] = [];
    const uncovered: Parameters<typeof uncoveredLines>[0][number][] = [];
    const ecosystems = new Map<string, readonly string[]>();
    const missing = new Set<string>();
    for (const { pkg, paths } of copiesOf(inventory.packages)) {
      const reason = uncoverable(pkg);
      if (reason !== undefined) {
        uncovered.push({ pkg, reason });
        continue;
      }
      const answer = answerOf(pkg, distribution);
      const [first] = answer.ecosystems;
      if (first === undefined) {
        missing.add(describeUnknown(pkg, inventory));
        continue;
      }
      ecosystems.set(first, [...new Set([...(ecosystems.get(first) ?? []), ...answer.ecosystems])]);
      if (answer.gap) incomparables.push({ ...answer.gap, path: pkg.path, ...(pkg.layer ? { layer: pkg.layer } : {}) });
      for (const match of answer.matches)
        findings.push({ ...match, package: pkg, ...(paths.length > 1 ? { paths } : {}) });
    }
    return {
      findings,
      ...coverageOf(ecosystems, missing, advisories),
      gaps: [...uncoveredLines(uncovered), ...boundedLines(incomparables)],
    };
  };
}

/** What advisories say about one package, wherever it lies. */
interface Answer {
  /** Empty when no ecosystem stands for it. */
  readonly ecosystems: readonly string[];
  readonly matches: readonly Match[];
  readonly gap?: CoverageGap;
}

function createPackageMatcher(
  advisories: AdvisoryLookup,
): (pkg: Package, distribution: Distribution | undefined) => Answer {
  const groupsOf = createGroupCache(advisories);
  const kept = new Map<string, Answer>();
  let findings = 0;

  function answer(pkg: Package, distribution: Distribution | undefined): Answer {
    const ecosystems = ecosystemsOf(pkg, distribution, advisories);
    const [first = ''] = ecosystems;
    const scheme = schemeOf(first);
    if (scheme === undefined) return { ecosystems: [], matches: [] };
    const names = advisedNames(pkg, first);
    const { groups, modular } = groupsOf(ecosystems, names);
    const bad = names.find(({ version }) => compareVersions(scheme, version, version) === undefined);
    const matches = groups
      .flatMap((group) => matchOf({ pkg, names, scheme, modular }, group, advisories) ?? [])
      .sort((a, b) => compareCanonical(a.id, b.id));
    return {
      ecosystems,
      matches,
      ...(bad && groups.length > 0 ? { gap: incomparable(pkg, bad.version, scheme) } : {}),
    };
  }

  return (pkg, distribution) => {
    const key = `${identityOf(pkg)}\n${distribution?.id}\n${distribution?.version}\n${distribution?.prettyName}`;
    const known = kept.get(key);
    if (known) return known;
    const found = answer(pkg, distribution);
    if (kept.size >= KEPT_PACKAGES || findings >= KEPT_FINDINGS) {
      kept.clear();
      findings = 0;
    }
    kept.set(key, found);
    findings += found.matches.length;
    return found;
  };
}

interface Groups {
  readonly groups: readonly VulnerabilityGroup[];
  /** Whether any statement among them is about a module stream. */
  readonly modular: boolean;
}

/** Names whose statements are kept grouped: binary packages of one source ask for the same ones after each other. */
const KEPT_GROUPS = 64;

function createGroupCache(
  advisories: AdvisoryLookup,
): (ecosystems: readonly string[], names: ReturnType<typeof advisedNames>) => Groups {
  const kept = new Map<string, Groups>();
  return (ecosystems, names) => {
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
    const found = {
      groups: groupByVulnerability(claims),
      modular: claims.some(({ statement }) => isModular(statement)),
    };
    if (kept.size >= KEPT_GROUPS) kept.clear();
    kept.set(key, found);
    return found;
  };
}

/** How far the answer reaches; ecosystems that belong together are known by their first. */
function coverageOf(
  ecosystems: ReadonlyMap<string, readonly string[]>,
  missing: ReadonlySet<string>,
  advisories: AdvisoryLookup,
): Pick<MatchResult, 'sources' | 'missing' | 'sampled'> {
  const known = [...ecosystems]
    .sort(([a], [b]) => Number(a > b) - Number(a < b))
    .map(([first, all]) => [first, all.flatMap((ecosystem) => advisories.sourcesOf(ecosystem))] as const);
  return {
    sources: known.flatMap(([, sources]) => sources),
    missing: [...missing, ...known.flatMap(([first, sources]) => (sources.length === 0 ? [first] : []))].sort(),
    sampled: known
      .filter(([, sources]) => sources.length > 0 && sources.every(({ completeness }) => completeness === 'sample'))
      .map(([first]) => first),
  };
}
