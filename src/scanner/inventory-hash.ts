import type { Inventory } from '../model/inventory.ts';
import { canonicalHash } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';

/** Identity of an inventory, `sha256:<hex>` over its canonical JSON. Equal content, equal hash. */
export function inventoryHash(inventory: Inventory): Digest {
  return canonicalHash(inventory);
}
