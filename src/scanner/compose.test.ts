import { describe, expect, it } from 'vitest';
import { makeTar, type TarItem } from '../../test/support/tar.ts';
import type { Inventory } from '../model/inventory.ts';
import { digestOf } from '../oci/digest.ts';
import { analyseLayer } from './analyse-layer.ts';
import { composeInventory } from './compose.ts';
import { checkLayeredEqualsFlattened } from './layered-flattened.testing.ts';

async function* bytes(content: Buffer) {
  yield content;
}

async function inventoryOf(layers: readonly (readonly TarItem[])[]): Promise<Inventory> {
  const stack = [];
  for (const [at, items] of layers.entries())
    stack.push({ digest: digestOf(`layer ${at}`), evidence: await analyseLayer(bytes(makeTar(items))) });
  return composeInventory(stack);
}

const apk = (...packages: string[]) => packages.map((name) => `P:${name}\nV:1.0-r0\nA:x86_64\n\n`).join('');
const npm = (name: string, version = '1.0.0') => JSON.stringify({ name, version });
const stanza = (name: string, maintainer: string) =>
  `Package: ${name}\nStatus: install ok installed\nVersion: 1\nMaintainer: ${maintainer}\n\n`;
const names = (inventory: Inventory) => inventory.packages.map(({ name }) => name);
const APK = 'lib/apk/db/installed';

describe('composeInventory', () => {
  it('takes the last database and says which layer brought each package', async () => {
    const { packages } = await inventoryOf([
      [{ name: APK, content: apk('musl', 'busybox') }],
      [{ name: 'usr/bin/x', content: '' }],
      [{ name: APK, content: apk('musl', 'curl') }],
    ]);
    expect(packages.map(({ name, layer }) => [name, layer])).toEqual([
      ['curl', digestOf('layer 2')],
      ['musl', digestOf('layer 0')],
    ]);
  });

  it.each<[string, readonly (readonly TarItem[])[], string[]]>([
    ['a whiteout of the database', [[{ name: APK, content: apk('musl') }], [{ name: 'lib/apk/db/.wh.installed' }]], []],
    ['a whiteout of a folder above', [[{ name: APK, content: apk('musl') }], [{ name: 'lib/.wh.apk' }]], []],
    [
      'a whiteout with ./ before it',
      [[{ name: `./${APK}`, content: apk('musl') }], [{ name: './lib/apk/db/.wh.installed' }]],
      [],
    ],
    [
      'a bare .wh. is a file of that name',
      [[{ name: APK, content: apk('musl') }], [{ name: 'lib/apk/db/.wh.' }]],
      ['musl'],
    ],
    [
      'a whiteout hides lower layers only',
      [
        [{ name: APK, content: apk('musl') }],
        [{ name: APK, content: apk('curl') }, { name: 'lib/apk/db/.wh.installed' }],
      ],
      ['curl'],
    ],
    [
      'an opaque folder keeps what its own layer puts into it',
      [
        [{ name: 'app/node_modules/a/package.json', content: npm('a') }],
        [{ name: 'app/node_modules/b/package.json', content: npm('b') }, { name: 'app/node_modules/.wh..wh..opq' }],
      ],
      ['b'],
    ],
    [
      'a lower whiteout does not hide what is added later',
      [[{ name: 'lib/apk/db/.wh.installed' }], [{ name: APK, content: apk('musl') }]],
      ['musl'],
    ],
    [
      'a plain file in place of a folder',
      [[{ name: APK, content: apk('musl') }], [{ name: 'lib/apk', content: '' }]],
      [],
    ],
    [
      'a link in place of a folder',
      [[{ name: APK, content: apk('musl') }], [{ name: 'lib', type: 'symlink', link: 'elsewhere' }]],
      [],
    ],
    [
      'a layer that writes through a linked folder',
      [
        [
          { name: 'lib', type: 'symlink', link: 'usr/lib' },
          { name: 'usr/lib/apk/db/installed', content: apk('musl') },
        ],
        [{ name: APK, content: apk('musl', 'curl') }],
      ],
      ['curl', 'musl'],
    ],
    [
      'links in a circle give way to what is unpacked',
      [
        [
          { name: 'lib', type: 'symlink', link: 'usr' },
          { name: 'usr', type: 'symlink', link: 'lib' },
        ],
        [{ name: APK, content: apk('musl') }],
      ],
      ['musl'],
    ],
    [
      'links that climb out stay below the root',
      [
        [
          { name: 'lib', type: 'symlink', link: '../../../usr/lib' },
          { name: 'usr/lib/apk/db/installed', content: apk('musl') },
        ],
      ],
      ['musl'],
    ],
    [
      'hard links to a package',
      [
        [
          { name: 'store/node_modules/a/package.json', content: npm('a') },
          { name: 'app/node_modules/b/package.json', type: 'hardlink', link: 'store/node_modules/a/package.json' },
        ],
      ],
      ['a', 'a'],
    ],
  ])('%s', async (_what, layers, expected) => {
    expect(names(await inventoryOf(layers))).toEqual(expected);
  });

  it('leaves out language packages that the distribution owns, through links too', async () => {
    const status = 'Package: node-left-pad\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: all\n\n';
    const { packages } = await inventoryOf([
      [
        { name: 'usr/share/nodejs', type: 'directory' },
        { name: 'nodejs', type: 'symlink', link: 'usr/share/nodejs' },
        { name: 'var/lib/dpkg/status', content: status },
        { name: 'var/lib/dpkg/info/node-left-pad.list', content: '/.\n/nodejs/node_modules/left-pad/package.json\n' },
        { name: 'usr/share/nodejs/node_modules/left-pad/package.json', content: npm('left-pad') },
        { name: 'app/node_modules/left-pad/package.json', content: npm('left-pad', '2.0.0') },
      ],
    ]);
    expect(packages.map(({ name, version }) => [name, version])).toEqual([
      ['node-left-pad', '1.0-1'],
      ['left-pad', '2.0.0'],
    ]);
  });

  it('leaves out applications of the distribution, but not what other makers package', async () => {
    const status =
      stanza('npm', 'Debian <js@lists.debian.org>') + stanza('nodejs', 'NSolid <nsolid-gpg@nodesource.com>');
    const { packages } = await inventoryOf([
      [
        { name: 'var/lib/dpkg/status', content: status },
        {
          name: 'var/lib/dpkg/info/npm.list',
          content: '/usr/share/nodejs/npm/package.json\n/usr/share/nodejs/npm/node_modules/a/package.json\n',
        },
        { name: 'var/lib/dpkg/info/nodejs.list', content: '/usr/lib/node_modules/b/package.json\n' },
        { name: 'usr/share/nodejs/npm/package.json', content: npm('npm') },
        { name: 'usr/share/nodejs/npm/node_modules/a/package.json', content: npm('a') },
        { name: 'usr/lib/node_modules/b/package.json', content: npm('b') },
      ],
    ]);
    expect(packages.map(({ type, name }) => [type, name])).toEqual([
      ['deb', 'nodejs'],
      ['deb', 'npm'],
      ['npm', 'b'],
    ]);
  });

  it('is not complete when a package database is damaged, though the rest could be read', async () => {
    const good = [{ name: APK, content: apk('musl') }];
    expect((await inventoryOf([good])).complete).toBe(true);
    const damaged = await inventoryOf([[...good, { name: 'var/lib/rpm/rpmdb.sqlite', content: 'x'.repeat(8192) }]]);
    expect([damaged.complete, names(damaged), damaged.gaps.length]).toEqual([false, ['musl'], 1]);
  });

  it('reads os-release through its link, inside the image', async () => {
    const inventory = await inventoryOf([
      [{ name: 'usr/lib/os-release', content: 'ID=debian\nVERSION_ID="12"\n' }],
      [{ name: 'etc/os-release', type: 'symlink', link: '/usr/lib/os-release' }],
    ]);
    expect(inventory.distribution).toMatchObject({ id: 'debian', version: '12', rolling: false });
  });

  it('keeps as many packages as a server can hold, and is not complete when there are more', async () => {
    const many = (count: number) => `P:a\nV:1\n\n`.repeat(count);
    const most = await inventoryOf([[{ name: APK, content: many(100_000) }]]);
    expect([most.complete, most.packages.length, most.gaps]).toEqual([true, 100_000, []]);
    const jar = { name: 'node_modules/x/package.json', content: npm('x') };
    const more = await inventoryOf([[{ name: APK, content: many(100_000) }, jar]]);
    expect([more.complete, more.gaps[0]?.kind]).toEqual([false, 'limit']);
    const long = `P:${'n'.repeat(200)}\nV:${'1'.repeat(200)}\n\n`.repeat(90_000);
    const texts = await inventoryOf([[{ name: APK, content: long }]]);
    expect([texts.complete, texts.gaps[0]?.message]).toEqual([false, more.gaps[0]?.message]);
  });

  it('equals the inventory of the flattened file system', () => checkLayeredEqualsFlattened(100));
});
