import fc from 'fast-check';
import { expect } from 'vitest';
import { makeTar, type TarItem } from '../../test/support/tar.ts';
import type { Inventory, Package } from '../model/inventory.ts';
import { analyseLayer } from './analyse-layer.ts';
import { composeInventory } from './compose.ts';
import { FlatFileSystem } from './flat-file-system.testing.ts';

const FOLDERS = ['lib', 'usr', 'apk', 'db', 'app', 'node_modules', 'a', 'b', 'etc', 'var', 'dpkg', 'info'];
const FILES = [
  'lib/apk/db/installed',
  'usr/lib/apk/db/installed',
  'var/lib/dpkg/status',
  'var/lib/dpkg/status.d/z',
  'etc/os-release',
  'usr/lib/os-release',
];

const part = fc.constantFrom(...FOLDERS);
const folder = fc.array(part, { maxLength: 4 }).map((parts) => parts.join('/'));
const place = fc.tuple(folder, part).map(([above, name]) => join(above, name));
const target = fc.oneof(
  folder,
  folder.map((path) => `/${path}`),
  folder.map((path) => `../${path}`),
);

const item: fc.Arbitrary<TarItem> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...FILES), fc.constantFrom('x', 'y', 'z'))
      .map(([name, id]) => ({ name, content: contentOf(name, id) })),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(folder, part, fc.constantFrom('1', '2')).map(([above, name, version]) => ({
      name: join(above, 'node_modules', name, 'package.json'),
      content: JSON.stringify({ name, version }),
    })),
  },
  {
    weight: 1,
    arbitrary: place.map((owned) => ({
      name: 'var/lib/dpkg/info/x.list',
      content: `/${owned}/node_modules/a/package.json\n`,
    })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(place, target).map(([name, link]) => ({ name, type: 'symlink' as const, link })),
  },
  { weight: 2, arbitrary: place.map((name) => ({ name, type: 'directory' as const })) },
  { weight: 1, arbitrary: place.map((name) => ({ name, content: '' })) },
  { weight: 2, arbitrary: fc.tuple(folder, part).map(([above, name]) => ({ name: join(above, `.wh.${name}`) })) },
  { weight: 1, arbitrary: fc.constantFrom(...FILES).map((path) => ({ name: path.replace(/([^/]+)$/, '.wh.$1') })) },
  { weight: 1, arbitrary: folder.map((path) => ({ name: join(path, '.wh..wh..opq') })) },
);
/** The same name in the ways that archives write it. */
const written = fc
  .tuple(item, fc.constantFrom('', '', './', '/', '//'))
  .map(([one, before]) => ({ ...one, name: before + one.name }));
const stack = fc.array(fc.array(written, { maxLength: 10 }), { minLength: 1, maxLength: 4 });

/**
 * The law of composing: layers on top of each other hold what the file system holds that they make. Checks it on random
 * stacks with whiteouts, opaque folders, replaced and linked folders, links in circles; fails too when hardly any stack
 * held a package.
 */
export async function checkLayeredEqualsFlattened(runs: number): Promise<void> {
  let withPackages = 0;
  await fc.assert(
    fc.asyncProperty(stack, async (layers) => {
      const flat = new FlatFileSystem();
      for (const layer of layers) flat.apply(layer);
      const layered = await inventoryOf(layers);
      const flattened = await inventoryOf([flat.items()]);
      expect(withoutLayers(layered)).toEqual(withoutLayers(flattened));
      if (layered.packages.length > 0) withPackages += 1;
    }),
    { numRuns: runs },
  );
  expect(withPackages).toBeGreaterThan(runs / 3);
}

async function inventoryOf(layers: readonly (readonly TarItem[])[]): Promise<Inventory> {
  const read = [];
  for (const items of layers) read.push({ evidence: await analyseLayer(piece(makeTar(items))) });
  return composeInventory(read);
}

async function* piece(bytes: Buffer) {
  yield bytes;
}

function contentOf(path: string, id: string): string {
  if (path.endsWith('installed')) return `P:${id}\nV:1.0-r0\nA:x86_64\n\n`;
  if (path.includes('dpkg')) return `Package: ${id}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n`;
  return `ID=${id}\nVERSION_ID=1\n`;
}

function withoutLayers(inventory: Inventory) {
  return { ...inventory, packages: inventory.packages.map(withoutLayer) };
}

function withoutLayer(pkg: Package) {
  return { ...pkg, layer: undefined };
}

function join(...parts: readonly string[]): string {
  return parts.filter(Boolean).join('/');
}
