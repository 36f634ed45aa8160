import type { Package } from '../model/inventory.ts';

/** When a vulnerability of a package was first seen in a repository or, wherever that was, in a manifest. */
export interface ClockReading {
  readonly vulnerability: string;
  /** As `clockPackage` gives it. */
  readonly package: string;
  /** Epoch ms. */
  readonly firstSeen: number;
}

/** The package a clock runs for: type and name. Another version that is still vulnerable does not start a new clock. */
export function clockPackage(pkg: Pick<Package, 'type' | 'name'>): string {
  return `${pkg.type}/${pkg.name}`;
}
