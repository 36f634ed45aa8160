import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import type { Inventory } from '../model/inventory.ts';
import { digestOf } from '../oci/digest.ts';
import { loadInventory, saveInventory } from './inventory-store.ts';
import { storableInventory } from './storable-inventory.ts';

const LAYERS = [digestOf('lower'), digestOf('upper')] as const;

const inventory: Inventory = {
  analyser: 'test/1',
  packages: [
    {
      type: 'rpm',
      name: 'agent',
      version: '1',
      purl: 'pkg:rpm/agent@1',
      path: 'var/lib/rpm/rpmdb.sqlite',
      thirdParty: true,
    },
    {
      type: 'rpm',
      name: 'nodejs',
      version: '1',
      purl: 'pkg:rpm/nodejs@1',
      path: 'var/lib/rpm/rpmdb.sqlite',
      module: 'nodejs:20',
      layer: LAYERS[1],
    },
  ],
  gaps: [{ kind: 'limit', path: 'x', message: 'too large' }],
  layers: [{ digest: LAYERS[0], createdBy: 'ADD rootfs /' }, { digest: LAYERS[1] }],
  complete: true,
};

describe.each(ENGINES)('inventories on %s', (engine) => {
  let handle: DatabaseHandle;
  beforeAll(async () => {
    handle = await freshDatabase(engine);
  });
  afterAll(() => handle.close());

  it.each([
    ['with steps, module streams and third parties', inventory],
    ['without', { analyser: 'test/1', packages: [], gaps: [], complete: false } satisfies Inventory],
  ])('come back as they were kept, %s', async (what, kept) => {
    await handle.db.transaction().execute((tx) => saveInventory(tx, what, kept, 1));
    expect(await loadInventory(handle.db, what)).toEqual(kept);
  });

  it('are told as they will come back: sorted, and nothing twice in one place', async () => {
    const [agent, node] = inventory.packages;
    if (!agent || !node) throw new Error('two packages are needed');
    const packages = [node, { ...agent, path: 'z' }, agent, { ...node, layer: LAYERS[0] }, { ...node, licence: 'MIT' }];
    const kept = storableInventory({ ...inventory, packages });
    const told = await handle.db.transaction().execute((tx) => saveInventory(tx, 'unsorted', kept, 1));
    expect(told?.packages).toHaveLength(4);
    expect(await loadInventory(handle.db, 'unsorted')).toEqual(told);
    expect(await handle.db.transaction().execute((tx) => saveInventory(tx, 'unsorted', kept, 1))).toBeUndefined();
  });

  it('hold steps that no engine could keep as they are', async () => {
    const odd = storableInventory({ ...inventory, layers: [{ createdBy: `RUN \0\ud800${'x'.repeat(10_000)}` }] });
    await handle.db.transaction().execute((tx) => saveInventory(tx, 'odd', odd, 1));
    expect((await loadInventory(handle.db, 'odd'))?.layers).toEqual(odd.layers);
    expect(odd.layers?.[0]?.createdBy).toHaveLength(8192);
  });
});
