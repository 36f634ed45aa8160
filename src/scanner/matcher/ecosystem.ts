import type { Distribution, Package } from '../../model/inventory.ts';
import type { VersionScheme } from '../versions/index.ts';

/**
 * The version scheme of an ecosystem, release included or not: `Alpine:v3.20` is `apk`.
 * undefined for ecosystems whose ordering is not known here: their advisories are kept but cannot be matched.
 */
export function schemeOf(ecosystem: string): VersionScheme | undefined {
  return SCHEMES.get(baseOf(ecosystem));
}

const SCHEMES: ReadonlyMap<string, VersionScheme> = new Map([
  ['Alpine', 'apk'],
  ['Debian', 'dpkg'],
  ['Ubuntu', 'dpkg'],
  ['npm', 'semver'],
] as const);

/** `Alpine` of `Alpine:v3.20`. */
export function baseOf(ecosystem: string): string {
  const colon = ecosystem.indexOf(':');
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon);
}

/** The exact ecosystem whose advisories concern a package; undefined when the distribution is unknown or not supported. */
export function ecosystemOf(pkg: Package, distribution: Distribution | undefined): string | undefined {
  return pkg.type === 'npm' ? 'npm' : distributionEcosystem(distribution);
}

/**
 * OSV's name of a distribution release: `Alpine:v3.20`, `Alpine:edge`, `Debian:12`.
 * undefined when there is none: an unknown distribution, or a rolling Debian, which OSV does not cover.
 */
export function distributionEcosystem(distribution: Distribution | undefined): string | undefined {
  if (distribution?.id === 'alpine') return alpineEcosystem(distribution);
  if (distribution?.id !== 'debian' || distribution.rolling) return undefined;
  const release = /^(\d+)(?:\.|$)/.exec(distribution.version ?? '')?.[1];
  return release === undefined ? undefined : `Debian:${release}`;
}

function alpineEcosystem({ version = '', rolling }: Distribution): string | undefined {
  if (rolling || /_alpha|^edge$/.test(version)) return 'Alpine:edge';
  const branch = /^(\d+\.\d+)(?:[._]|$)/.exec(version)?.[1];
  return branch === undefined ? undefined : `Alpine:v${branch}`;
}

/** Name and version that advisories speak of: the source package where there is one, the package otherwise. */
export function advisedPackage(pkg: Package): { readonly name: string; readonly version: string } {
  // Alpine's advisories name the origin but the versions are the package's own, which are the same.
  return pkg.type === 'npm' || pkg.source === undefined ? pkg : pkg.source;
}
