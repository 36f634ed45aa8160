/** The orderings we can compute; the name of the reference implementation's format. */
export type VersionScheme =
  | 'alpm'
  | 'apk'
  | 'bitnami'
  | 'cran'
  | 'dpkg'
  | 'generic'
  | 'go'
  | 'maven'
  | 'nuget'
  | 'packagist'
  | 'pep440'
  | 'rpm'
  | 'rubygems'
  | 'semver';

export type Order = -1 | 0 | 1;

/** One version ordering. `undefined` = one of the two is no version of this scheme; an outcome, not a fault. */
export type CompareVersions = (a: string, b: string) => Order | undefined;
