import type { AdvisorySource } from '../../model/coverage.ts';
import type { Finding } from '../../model/finding.ts';
import type { CoverageGap, Inventory, Package } from '../../model/inventory.ts';
import { compareVersions, type VersionScheme } from '../versions/index.ts';
import { advisedPackage, ecosystemOf, schemeOf } from './ecosystem.ts';
import { findingOf } from './finding.ts';
import { groupByVulnerability, type VulnerabilityGroup } from './groups.ts';
import { compareCanonical } from './ids.ts';
import type { AdvisoryLookup } from './lookup.ts';

export interface MatchResult {
  /** One per canonical vulnerability and installed package, in the order of the packages, then of the ids. */
  readonly findings: readonly Finding[];
  /** Every source of the ecosystems found in the inventory. */
  readonly sources: readonly AdvisorySource[];
  /** Ecosystems with packages of which the database knows nothing: no findings there means nothing. */
  readonly missing: readonly string[];
  /** Ecosystems with packages for which no source is complete: what is found counts, silence does not. */
  readonly sampled: readonly string[];
  /** Packages that have advisories but whose version cannot be compared. */
  readonly gaps: readonly CoverageGap[];
}

/**
 * Matches an inventory with advisories. Pure and synchronous. Alpine packages are looked up by origin, Debian packages by
 * source package and source version, under the exact release; npm packages by name.
 */
export function matchInventory(inventory: Inventory, advisories: AdvisoryLookup): MatchResult {
  const ecosystems = new Set<string>();
  const missing = new Set<string>();
  const findings: Finding[] = [];
  const gaps: CoverageGap[] = [];
  const groupsOf = createGroupCache(advisories);
  for (const pkg of inventory.packages) {
    const ecosystem = ecosystemOf(pkg, inventory.distribution);
    const scheme = ecosystem === undefined ? undefined : schemeOf(ecosystem);
    if (ecosystem === undefined || scheme === undefined) {
      missing.add(ecosystem ?? describeUnknown(pkg, inventory));
      continue;
    }
    ecosystems.add(ecosystem);
    const { name, version } = advisedPackage(pkg);
    const groups = groupsOf(ecosystem, name);
    if (groups.length === 0) continue;
    if (compareVersions(scheme, version, version) === undefined) gaps.push(incomparable(pkg, version, scheme));
    else findings.push(...matchPackage(pkg, version, scheme, groups, advisories));
  }
  const sources = [...ecosystems].sort().map((ecosystem) => [ecosystem, advisories.sourcesOf(ecosystem)] as const);
  for (const [ecosystem, known] of sources) if (known.length === 0) missing.add(ecosystem);
  return {
    findings,
    sources: sources.flatMap(([, known]) => known),
    missing: [...missing].sort(),
    sampled: sources
      .filter(([, known]) => known.length > 0 && known.every(({ completeness }) => completeness === 'sample'))
      .map(([ecosystem]) => ecosystem),
    gaps,
  };
}

function matchPackage(
  pkg: Package,
  version: string,
  scheme: VersionScheme,
  groups: readonly VulnerabilityGroup[],
  advisories: AdvisoryLookup,
): readonly Finding[] {
  return groups
    .flatMap((group) => findingOf(pkg, version, scheme, group, advisories) ?? [])
    .sort((a, b) => compareCanonical(a.id, b.id));
}

/** Binary packages of one source, and copies of one npm package, share their groups within one inventory. */
function createGroupCache(
  advisories: AdvisoryLookup,
): (ecosystem: string, name: string) => readonly VulnerabilityGroup[] {
  const cache = new Map<string, readonly VulnerabilityGroup[]>();
  return (ecosystem, name) => {
    const key = `${ecosystem}\n${name}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const groups = groupByVulnerability(advisories.advisoriesFor(ecosystem, name));
    cache.set(key, groups);
    return groups;
  };
}

function describeUnknown(pkg: Package, { distribution }: Inventory): string {
  const name = distribution?.prettyName ?? [distribution?.id, distribution?.version].filter(Boolean).join(' ');
  return name ? `${pkg.type} packages of ${name}` : `${pkg.type} packages of an unknown distribution`;
}

function incomparable(pkg: Package, version: string, scheme: VersionScheme): CoverageGap {
  return {
    kind: 'malformed-entry',
    path: pkg.path,
    ...(pkg.layer === undefined ? {} : { layer: pkg.layer }),
    message: `${pkg.name}: ${JSON.stringify(version)} is no ${scheme} version, so its advisories could not be compared`,
  };
}
