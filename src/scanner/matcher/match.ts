import type { AdvisorySource } from '../../model/coverage.ts';
import type { Finding } from '../../model/finding.ts';
import type { CoverageGap, Inventory, Package } from '../../model/inventory.ts';
import type { AdvisoryLookup } from './lookup.ts';
import { boundedLines, describeUnknown, uncoverable, uncoveredLines } from './match-gaps.ts';
import { type Copies, copiesOf } from './package-copies.ts';
import { type Answer, createPackageMatcher } from './package-matcher.ts';

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

/** Matches an inventory with advisories. Pure and synchronous. */
export function matchInventory(inventory: Inventory, advisories: AdvisoryLookup): MatchResult {
  return createMatcher(advisories)(inventory);
}

/**
 * Matches inventories with one set of advisories that does not change. Packages are looked up by the names and under the
 * exact ecosystems that their distribution or language files advisories under. Remembers its answers for packages, bounded.
 * Whoever knows the copies of an inventory's packages passes them, in any order, and gets the findings in that order.
 */
export function createMatcher(
  advisories: AdvisoryLookup,
): (inventory: Inventory, copies?: readonly Copies[]) => MatchResult {
  const matcherFor = createPackageMatcher(advisories);
  const findingsOf = createFindingCache();
  const sharedMatches = createSharedMatches();
  return (inventory, known) => {
    const answerOf = matcherFor(inventory.distribution);
    const shared = known && sharedMatches(answerOf);
    const findings: Finding[] = [];
    const incomparables: CoverageGap[] = [];
    const uncovered: Parameters<typeof uncoveredLines>[0][number][] = [];
    const ecosystems = new Map<string, readonly string[]>();
    const missing = new Set<string>();
    let last: readonly string[] | undefined;
    for (const { pkg, paths } of known ?? copiesOf(inventory.packages)) {
      let matched = shared?.get(pkg);
      if (matched === undefined) {
        const reason = uncoverable(pkg);
        const answer = reason === undefined ? answerOf(pkg) : undefined;
        matched = { reason, answer, findings: answer ? findingsOf(answer, pkg) : [] };
        shared?.set(pkg, matched);
      }
      const { reason, answer } = matched;
      if (reason !== undefined) uncovered.push({ pkg, reason });
      if (answer === undefined) continue;
      const [first] = answer.ecosystems;
      if (first === undefined) {
        missing.add(describeUnknown(pkg, inventory));
        continue;
      }
      // Packages of one kind follow each other, and share the list.
      if (answer.ecosystems !== last) {
        last = answer.ecosystems;
        const listed = ecosystems.get(first);
        if (listed !== last) ecosystems.set(first, listed === undefined ? last : [...new Set([...listed, ...last])]);
      }
      if (answer.gap) incomparables.push({ ...answer.gap, path: pkg.path, ...(pkg.layer ? { layer: pkg.layer } : {}) });
      if (paths.length > 1) for (const match of answer.matches) findings.push({ ...match, package: pkg, paths });
      else for (const finding of matched.findings) findings.push(finding);
    }
    return {
      findings,
      ...coverageOf(ecosystems, missing, advisories),
      gaps: [...uncoveredLines(uncovered), ...boundedLines(incomparables)],
    };
  };
}

/** What is known of a package that many inventories share. */
interface Matched {
  readonly reason: ReturnType<typeof uncoverable>;
  readonly answer: Answer | undefined;
  readonly findings: readonly Finding[];
}

/** Distributions whose shared packages are kept, and packages of each. */
const KEPT_DISTRIBUTIONS = 100;
const KEPT_PACKAGES = 50_000;

/** One look-up for each package that was matched in this distribution before. */
function createSharedMatches(): (answerOf: (pkg: Package) => Answer) => Map<Package, Matched> {
  const kept = new Map<(pkg: Package) => Answer, Map<Package, Matched>>();
  return (answerOf) => {
    const known = kept.get(answerOf) ?? new Map<Package, Matched>();
    if (kept.size >= KEPT_DISTRIBUTIONS) kept.clear();
    if (known.size >= KEPT_PACKAGES) known.clear();
    kept.set(answerOf, known);
    return known;
  };
}

/** Findings that images share: those in the package last asked for of each answer. They last as long as the answer. */
function createFindingCache(): (answer: Answer, pkg: Package) => readonly Finding[] {
  const kept = new WeakMap<Answer, { readonly pkg: Package; readonly findings: readonly Finding[] }>();
  return (answer, pkg) => {
    if (answer.matches.length === 0) return [];
    const known = kept.get(answer);
    if (known?.pkg === pkg) return known.findings;
    const findings = answer.matches.map((match): Finding => ({ ...match, package: pkg }));
    kept.set(answer, { pkg, findings });
    return findings;
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
