import { compareApk } from './apk/index.ts';
import { compareDpkg } from './dpkg/index.ts';
import { compareSemver } from './semver/index.ts';
import type { CompareVersions, Order, VersionScheme } from './types.ts';

export type { Order, VersionScheme } from './types.ts';

/** Every version scheme by name. A new one is a folder beside these and a line here. */
const SCHEMES: Readonly<Record<VersionScheme, CompareVersions>> = {
  apk: compareApk,
  dpkg: compareDpkg,
  semver: compareSemver,
};

/** Order of two versions in a scheme; undefined when one of them is no version of it. Total on valid versions. */
export function compareVersions(scheme: VersionScheme, a: string, b: string): Order | undefined {
  return SCHEMES[scheme](a, b);
}
