import type { PackageType } from '../../model/inventory.ts';
import type { VersionScheme } from './types.ts';

/** How versions of each kind of package are ordered; kinds without an order known here are left out. */
const SCHEMES: Readonly<Partial<Record<PackageType, VersionScheme>>> = {
  alpm: 'alpm',
  apk: 'apk',
  bitnami: 'bitnami',
  cargo: 'semver',
  composer: 'packagist',
  cran: 'cran',
  deb: 'dpkg',
  gem: 'rubygems',
  generic: 'bitnami',
  golang: 'go',
  hackage: 'generic',
  hex: 'semver',
  maven: 'maven',
  npm: 'semver',
  nuget: 'nuget',
  pub: 'semver',
  pypi: 'pep440',
  rpm: 'rpm',
  swift: 'semver',
};

/** The ordering of the versions of a kind of package; undefined when none is known here. */
export function schemeOfType(type: PackageType): VersionScheme | undefined {
  return SCHEMES[type];
}
