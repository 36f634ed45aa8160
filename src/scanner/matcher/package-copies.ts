import type { Package } from '../../model/inventory.ts';
import { compareText } from '../../oci/canonical.ts';

/** A package, and everywhere it lies. */
export interface Copies {
  /** The one that comes first by path. */
  readonly pkg: Package;
  /** All their paths, sorted. */
  readonly paths: readonly string[];
}

/** Copies of one package are one: the same in everything but where they were found. By type, name, version and identity. */
export function copiesOf(packages: readonly Package[]): readonly Copies[] {
  const sorted = isSorted(packages) ? packages : packages.toSorted(compareCopies);
  const copies: { pkg: Package; paths: string[] }[] = [];
  let last: { pkg: Package; paths: string[] } | undefined;
  for (const pkg of sorted) {
    if (last === undefined || identityOf(last.pkg) !== identityOf(pkg)) {
      last = { pkg, paths: [pkg.path] };
      copies.push(last);
    } else if (last.paths.at(-1) !== pkg.path) last.paths.push(pkg.path);
  }
  return copies;
}

const identities = new WeakMap<Package, string>();

/** Text that two packages share exactly when advisories say the same of them. */
export function identityOf(pkg: Package): string {
  const known = identities.get(pkg);
  if (known !== undefined) return known;
  const { purl, type, name, version, arch, source, module, thirdParty } = pkg;
  const identity = [type, name, version, arch, source?.name, source?.version, module, thirdParty, purl].join('\n');
  identities.set(pkg, identity);
  return identity;
}

function compareCopies(a: Package, b: Package): number {
  return compareText(identityOf(a), identityOf(b)) || compareText(a.path, b.path);
}

function isSorted(packages: readonly Package[]): boolean {
  return packages.every((pkg, at) => {
    const before = packages[at - 1];
    return before === undefined || compareCopies(before, pkg) <= 0;
  });
}
