import type { Distribution, Package } from '../../model/inventory.ts';
import { compareText } from '../../oci/canonical.ts';
import { compareVersions, type VersionScheme } from '../versions/index.ts';
import { type AdvisedName, advisedNames } from './advised-names.ts';
import { preferPro } from './concerns.ts';
import { ecosystemsOf, schemeOf } from './ecosystem.ts';
import type { Claim, VulnerabilityGroup } from './groups.ts';
import type { AdvisoryLookup, AffectedRange } from './lookup.ts';
import { createGroupCache } from './package-matcher.ts';
import { contains } from './ranges.ts';

/** A package with those of its vulnerabilities that are to go, by their canonical ids. */
export interface Unwanted {
  readonly pkg: Package;
  readonly vulnerabilities: ReadonlySet<string>;
}

/** Versions given at most: the first is nearly always the one. */
const MOST_VERSIONS = 25;

/**
 * Finds versions to upgrade packages of one source and version to: those that records name as fixed, above the installed
 * one and above the ranges by which the unwanted vulnerabilities affect it, lowest first. Empty when one of these has no end.
 * Only matching tells whether a version is free of everything: it may have got something that the installed one has not.
 */
export function createUpgradeVersions(
  advisories: AdvisoryLookup,
): (unwanted: readonly Unwanted[], distribution: Distribution | undefined) => readonly string[] {
  const groupsOf = createGroupCache(advisories);

  function of(pkg: Package, distribution: Distribution | undefined) {
    const ecosystems = ecosystemsOf(pkg, distribution, advisories);
    const [first] = ecosystems;
    const scheme = first === undefined ? undefined : schemeOf(first);
    if (first === undefined || scheme === undefined) return undefined;
    const names = advisedNames(pkg, first);
    return { pkg, scheme, names, groups: groupsOf(pkg, ecosystems, names) };
  }

  return (unwanted, distribution) => {
    const named = new Map<string, string>();
    const ends: RangeEnd[] = [];
    let scheme: VersionScheme | undefined;
    for (const { pkg, vulnerabilities } of unwanted) {
      const said = of(pkg, distribution);
      if (!said) return [];
      ({ scheme } = said);
      for (const group of said.groups) {
        for (const version of fixesOf(said, group)) named.set(version, version);
        if (!vulnerabilities.has(group.ids[0] ?? '')) continue;
        const own = endsOf(said, group);
        if (!own) return [];
        ends.push(...own);
      }
    }
    if (!scheme) return [];
    const order = scheme;
    return [...named.keys()]
      .filter((version) => ends.every((end) => isBeyond(order, version, end)))
      .sort((a, b) => compareVersions(order, a, b) || compareText(a, b))
      .slice(0, MOST_VERSIONS);
  };
}

interface Said {
  readonly pkg: Package;
  readonly scheme: VersionScheme;
  readonly names: readonly AdvisedName[];
}

type RangeEnd = Required<Pick<AffectedRange, 'fixed'>> | Required<Pick<AffectedRange, 'lastAffected'>>;

/** Claims under names that have the version one upgrades: a source of another version goes along, whatever it will have. */
function comparable({ pkg, names }: Said, { claims }: VulnerabilityGroup): readonly Claim[] {
  const [own] = names;
  return preferPro(pkg, claims).filter(
    ({ by }) => names[by]?.version === own?.version && names[by]?.withoutEpoch === own?.withoutEpoch,
  );
}

function fixesOf(said: Said, group: VulnerabilityGroup): readonly string[] {
  const version = said.names[0]?.version ?? '';
  return comparable(said, group)
    .filter(({ statement }) => !statement.subscription) // sold apart: nobody can just take it
    .flatMap(({ statement }) => statement.ranges.flatMap(({ fixed }) => fixed ?? []))
    .filter((fixed) => compareVersions(said.scheme, fixed, version) === 1);
}

/** Where the ranges that hold the installed version end; undefined when one of them never does. */
function endsOf(said: Said, group: VulnerabilityGroup): readonly RangeEnd[] | undefined {
  const version = said.names[0]?.version ?? '';
  const ends: RangeEnd[] = [];
  for (const { statement } of comparable(said, group)) {
    for (const range of statement.ranges) {
      if (!contains(said.scheme, range, version)) continue;
      if (range.fixed !== undefined) ends.push({ fixed: range.fixed });
      else if (range.lastAffected !== undefined) ends.push({ lastAffected: range.lastAffected });
      else return undefined;
    }
  }
  return ends;
}

function isBeyond(scheme: VersionScheme, version: string, end: RangeEnd): boolean {
  if ('lastAffected' in end) return compareVersions(scheme, version, end.lastAffected) === 1;
  const order = compareVersions(scheme, version, end.fixed);
  return order === 0 || order === 1;
}
