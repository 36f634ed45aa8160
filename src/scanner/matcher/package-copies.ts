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
  return [...Map.groupBy(packages, identityOf).values()]
    .map((copies) => copies.toSorted((a, b) => compareText(a.path, b.path)))
    .flatMap((copies) =>
      copies[0] === undefined ? [] : [{ pkg: copies[0], paths: [...new Set(copies.map(({ path }) => path))] }],
    )
    .sort((a, b) => comparePackages(a.pkg, b.pkg));
}

/** Text that two packages share exactly when advisories say the same of them. */
export function identityOf({ purl, type, name, version, arch, source, module, thirdParty }: Package): string {
  return [type, name, version, arch, source?.name, source?.version, module, thirdParty, purl].join('\n');
}

function comparePackages(a: Package, b: Package): number {
  return (
    compareText(a.type, b.type) ||
    compareText(a.name, b.name) ||
    compareText(a.version, b.version) ||
    compareText(a.purl, b.purl) ||
    compareText(identityOf(a), identityOf(b))
  );
}
