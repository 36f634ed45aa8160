import type { Package } from '../../model/inventory.ts';
import { baseOf, ecosystemOf } from './ecosystem.ts';
import type { AdvisoryStatement, AffectedRange } from './lookup.ts';
import { packageKey } from './package-key.ts';

/** A name under which advisories may speak of an installed package, and the version they then mean. */
export interface AdvisedName {
  readonly name: string;
  readonly version: string;
  /** The version lacks the epoch, which the source of an rpm does not state: bounds are compared without theirs. */
  readonly withoutEpoch?: true;
}

/** Ecosystems that file under binary packages, some also under source packages. The other distributions name sources only. */
const BY_BINARY: ReadonlySet<string> = new Set([
  'AlmaLinux',
  'Alpaquita',
  'BellSoft Hardened Containers',
  'Chainguard',
  'MinimOS',
  'Photon OS',
  'Red Hat',
  'Rocky Linux',
  'Wolfi',
]);

/**
 * The names of a package in the advisories of an ecosystem, its own first where both it and its source count. Debian and
 * Ubuntu compare the version of the source; Alpine's packages have that of their origin.
 */
export function advisedNames(pkg: Package, ecosystem: string): readonly AdvisedName[] {
  const own = { name: packageKey(ecosystem, pkg.name), version: pkg.version };
  const { source } = pkg;
  if (source === undefined) return [own];
  const byBinary = BY_BINARY.has(baseOf(ecosystem));
  const named = pkg.type === 'rpm' ? rpmSource(pkg.version, source) : source;
  if (!byBinary) return [named];
  return named.name === own.name ? [own] : [own, named];
}

/** The name under which a stored package is found again by what advisories about it are filed under, beside its source's. */
export function lookupName(pkg: Package): string {
  return packageKey(ecosystemOf(pkg, undefined) ?? '', pkg.name);
}

/** SOURCERPM has no epoch. Where the rest of the version is the same it is the package's; else nothing is known of it. */
function rpmSource(version: string, source: NonNullable<Package['source']>): AdvisedName {
  if (source.version.includes(':')) return source;
  if (withoutEpoch(version) === source.version) return { name: source.name, version };
  return { ...source, withoutEpoch: true };
}

/** A statement whose bounds have no epochs. */
export function withoutEpochs(statement: AdvisoryStatement): AdvisoryStatement {
  return { ...statement, ranges: statement.ranges.map(bare), versions: statement.versions.map(withoutEpoch) };
}

function bare(range: AffectedRange): AffectedRange {
  return Object.fromEntries(Object.entries(range).map(([bound, version]) => [bound, withoutEpoch(version)]));
}

function withoutEpoch(version: string): string {
  return version.replace(/^\d+:/, '');
}
