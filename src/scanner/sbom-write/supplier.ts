import type { Distribution, Package } from '../../model/inventory.ts';

/**
 * Who distributed a package, as far as that was found out: the distribution, for packages of the managers where those of
 * others are told apart.
 */
export function supplierOf(pkg: Package, distribution: Distribution | undefined): string | undefined {
  const toldApart = pkg.type === 'deb' || pkg.type === 'rpm';
  return toldApart && pkg.thirdParty === undefined ? distribution?.id : undefined;
}
