import type { Inventory, Package } from '../model/inventory.ts';
import { SYSTEM_PACKAGE_TYPES } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';

/** True when layers above the base brought packages of the distribution: they rewrite its whole database, old versions included. */
export function rewritesDatabase({ packages }: Inventory, base: ReadonlySet<Digest>): boolean {
  return packages.some(({ type, layer }) => SYSTEM_PACKAGE_TYPES.has(type) && layer !== undefined && !base.has(layer));
}

/**
 * What building the image anew on another base gives, as far as packages tell: those of the other base, those that the
 * application's layers brought, and without those that they removed. What they replaced stays as they have it. Pure.
 */
export function rebuiltOn(
  app: Inventory,
  oldBase: Inventory,
  newBase: Inventory,
  base: ReadonlySet<Digest>,
): Inventory {
  const brought = app.packages.filter(({ layer }) => layer === undefined || !base.has(layer));
  const kept = new Set(app.packages.map(nameKey));
  const removed = new Set(oldBase.packages.map(nameKey).filter((key) => !kept.has(key)));
  const replaced = new Set(brought.map(nameKey));
  const below = newBase.packages.filter((pkg) => !removed.has(nameKey(pkg)) && !replaced.has(nameKey(pkg)));
  return {
    ...newBase,
    packages: [...below, ...brought],
    gaps: [...newBase.gaps, ...app.gaps.filter(({ layer }) => layer !== undefined && !base.has(layer))],
    complete: newBase.complete && app.complete,
  };
}

/** Two packages that cannot be installed beside each other, whatever their versions; those of languages lie by path. */
function nameKey({ type, name, arch, path }: Package): string {
  return SYSTEM_PACKAGE_TYPES.has(type) ? `${type} ${name} ${arch}` : `${type} ${name} ${path}`;
}
