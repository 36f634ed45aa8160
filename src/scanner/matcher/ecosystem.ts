import { type Distribution, type Package, type PackageType, SYSTEM_PACKAGE_TYPES } from '../../model/inventory.ts';
import type { VersionScheme } from '../versions/index.ts';
import { releaseOf } from './distribution-release.ts';
import type { AdvisoryLookup } from './lookup.ts';

/** The ecosystem of Rust crates: its name is a host name, spelt apart so that nobody takes it for an address. */
const CRATES = ['crates', 'io'].join('.');

/**
 * The version scheme of an ecosystem, release included or not: `Alpine:v3.20` is `apk`.
 * undefined for ecosystems whose ordering is not known here: their advisories are kept but cannot be matched.
 */
export function schemeOf(ecosystem: string): VersionScheme | undefined {
  return SCHEMES.get(baseOf(ecosystem));
}

const SCHEMES: ReadonlyMap<string, VersionScheme> = new Map<string, VersionScheme>([
  ['AlmaLinux', 'rpm'],
  ['Alpaquita', 'apk'],
  ['Alpine', 'apk'],
  ['BellSoft Hardened Containers', 'apk'],
  ['Bitnami', 'bitnami'],
  ['CRAN', 'cran'],
  ['Chainguard', 'apk'],
  [CRATES, 'semver'],
  ['Debian', 'dpkg'],
  ['Go', 'go'],
  ['Hackage', 'generic'],
  ['Hex', 'semver'],
  ['Mageia', 'rpm'],
  ['Maven', 'maven'],
  ['MinimOS', 'apk'],
  ['NuGet', 'nuget'],
  ['Packagist', 'packagist'],
  ['Photon OS', 'rpm'],
  ['Pub', 'semver'],
  ['PyPI', 'pep440'],
  ['Red Hat', 'rpm'],
  ['Rocky Linux', 'rpm'],
  ['RubyGems', 'rubygems'],
  ['SUSE', 'rpm'],
  ['SwiftURL', 'semver'],
  ['Ubuntu', 'dpkg'],
  ['Wolfi', 'apk'],
  ['npm', 'semver'],
  ['openEuler', 'rpm'],
  ['openSUSE', 'rpm'],
]);

/** OSV's ecosystem of packages that belong to no distribution. Software without a package manager is known to Bitnami. */
const LANGUAGES: Readonly<Partial<Record<PackageType, string>>> = {
  bitnami: 'Bitnami',
  cargo: CRATES,
  composer: 'Packagist',
  cran: 'CRAN',
  gem: 'RubyGems',
  generic: 'Bitnami',
  golang: 'Go',
  hackage: 'Hackage',
  hex: 'Hex',
  maven: 'Maven',
  npm: 'npm',
  nuget: 'NuGet',
  pub: 'Pub',
  pypi: 'PyPI',
  swift: 'SwiftURL',
};

/** `Alpine` of `Alpine:v3.20`. */
export function baseOf(ecosystem: string): string {
  const colon = ecosystem.indexOf(':');
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon);
}

/** Types of the packages that advisories of a language ecosystem can concern; empty for a distribution's. */
export function typesOf(ecosystem: string): readonly PackageType[] {
  const base = baseOf(ecosystem);
  return (Object.entries(LANGUAGES) as [PackageType, string][]).flatMap(([type, name]) =>
    name === base ? [type] : [],
  );
}

const MANAGERS: ReadonlyMap<VersionScheme | undefined, PackageType> = new Map([
  ['apk', 'apk'],
  ['dpkg', 'deb'],
  ['rpm', 'rpm'],
]);

/** Type of the packages that advisories of a distribution can concern; undefined for a language ecosystem. */
export function systemTypeOf(ecosystem: string): PackageType | undefined {
  return MANAGERS.get(schemeOf(ecosystem));
}

/**
 * The exact ecosystems whose advisories concern a package, the one it is known by first. Several where a distribution files
 * them under its products (Red Hat, SUSE) or an ecosystem has more than one repository; those are taken from what the
 * database has. Empty when the distribution is unknown or not covered by any source.
 */
export function ecosystemsOf(
  pkg: Pick<Package, 'type' | 'version'>,
  distribution: Distribution | undefined,
  advisories: Pick<AdvisoryLookup, 'ecosystemsUnder'>,
): readonly string[] {
  const first = ecosystemOf(pkg, distribution);
  if (first === undefined) return [];
  if (!SYSTEM_PACKAGE_TYPES.has(pkg.type)) return withOthers(first, advisories.ecosystemsUnder(`${first}:`));
  const release = releaseOf(distribution);
  const others = release?.products?.flatMap(({ under, matches }) =>
    advisories.ecosystemsUnder(under).filter((ecosystem) => matches.test(ecosystem)),
  );
  return withOthers(first, [...(release?.variants?.(pkg.version) ?? []), ...(others ?? [])]);
}

function withOthers(first: string, others: readonly string[]): readonly string[] {
  return [...new Set([first, ...others])];
}

/** The ecosystem a package is known by; undefined when the distribution is unknown or not covered by any source. */
export function ecosystemOf(
  { type }: Pick<Package, 'type'>,
  distribution: Distribution | undefined,
): string | undefined {
  if (!SYSTEM_PACKAGE_TYPES.has(type)) return LANGUAGES[type];
  const release = releaseOf(distribution);
  return release?.type === type ? release.ecosystem : undefined;
}

/**
 * OSV's name of a distribution release: `Alpine:v3.20`, `Debian:12`, `Ubuntu:22.04:LTS`, `Red Hat:enterprise_linux:9`.
 * undefined when there is none: an unknown distribution, one without a source, or a rolling Debian, which OSV does not cover.
 */
export function distributionEcosystem(distribution: Distribution | undefined): string | undefined {
  return releaseOf(distribution)?.ecosystem;
}

/**
 * What all ecosystems of one distribution release have in common: `Red Hat:enterprise_linux:9::appstream` and
 * `Red Hat:enterprise_linux:9` have one key. Ecosystems without such relatives are their own.
 */
export function releaseKey(ecosystem: string): string {
  const parts =
    /^(Red Hat:enterprise_linux:\d+)(?:[.:].*)?$/.exec(ecosystem) ??
    /^(SUSE:).* (\d[\w.]*(?: SP\d+)?)$/.exec(ecosystem) ??
    /^(Ubuntu:)Pro:(.*)$/.exec(ecosystem);
  return parts ? parts.slice(1).join('') : ecosystem;
}
