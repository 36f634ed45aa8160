import { createHash } from 'node:crypto';
import type { Inventory } from '../model/inventory.ts';

/** Identity of an inventory: sha256 (hex) over its JSON with object keys in order. Equal content, equal hash. */
export function inventoryHash(inventory: Inventory): string {
  return createHash('sha256').update(canonicalJson(inventory)).digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item,
  );
}
