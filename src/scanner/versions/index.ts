import { compareAlpm } from './alpm/index.ts';
import { compareApk } from './apk/index.ts';
import { compareBitnami } from './bitnami/index.ts';
import { compareCran } from './cran/index.ts';
import { compareDpkg } from './dpkg/index.ts';
import { compareGeneric } from './generic/index.ts';
import { compareGo } from './go/index.ts';
import { compareMaven } from './maven/index.ts';
import { compareNuGet } from './nuget/index.ts';
import { comparePackagist } from './packagist/index.ts';
import { comparePep440 } from './pep440/index.ts';
import { compareRpm } from './rpm/index.ts';
import { compareRubyGems } from './rubygems/index.ts';
import { compareSemver } from './semver/index.ts';
import type { CompareVersions, Order, VersionScheme } from './types.ts';

export type { Order, VersionScheme } from './types.ts';

/** Every version scheme by name. A new one is a folder beside these and a line here. */
const SCHEMES: Readonly<Record<VersionScheme, CompareVersions>> = {
  alpm: compareAlpm,
  apk: compareApk,
  bitnami: compareBitnami,
  cran: compareCran,
  dpkg: compareDpkg,
  generic: compareGeneric,
  go: compareGo,
  maven: compareMaven,
  nuget: compareNuGet,
  packagist: comparePackagist,
  pep440: comparePep440,
  rpm: compareRpm,
  rubygems: compareRubyGems,
  semver: compareSemver,
};

/** Order of two versions in a scheme; undefined when one of them is no version of it. Total on valid versions. */
export function compareVersions(scheme: VersionScheme, a: string, b: string): Order | undefined {
  return SCHEMES[scheme](a, b);
}
