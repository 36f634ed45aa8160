import { expect, it } from 'vitest';
import type { Inventory } from '../model/inventory.ts';
import { inventoryHash } from './inventory-hash.ts';

const musl = {
  type: 'apk',
  name: 'musl',
  version: '1-r0',
  purl: 'pkg:apk/alpine/musl@1-r0',
  path: 'lib/apk/db/installed',
} as const;
const inventory: Inventory = { analyser: 'test/1', packages: [musl], gaps: [], complete: true };

it('names an inventory by its content, whatever the order of its members', () => {
  const { path, purl, version, name, type } = musl;
  const reordered: Inventory = {
    complete: true,
    gaps: [],
    packages: [{ path, purl, version, name, type }],
    analyser: 'test/1',
  };
  expect(inventoryHash(inventory)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(inventoryHash(reordered)).toBe(inventoryHash(inventory));
  expect(inventoryHash({ ...inventory, complete: false })).not.toBe(inventoryHash(inventory));
  expect(inventoryHash({ ...inventory, packages: [{ ...musl, version: '2-r0' }] })).not.toBe(inventoryHash(inventory));
});
