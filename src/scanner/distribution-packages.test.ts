import { describe, expect, it } from 'vitest';
import { makeTar, type TarItem } from '../../test/support/tar.ts';
import type { Inventory } from '../model/inventory.ts';
import { analyseLayer } from './analyse-layer.ts';
import { makeBdb, makeHeader, makeSqlite } from './catalogers/rpm/rpm.testing.ts';
import { composeInventory } from './compose.ts';

async function inventoryOf(...layers: readonly (readonly TarItem[])[]): Promise<Inventory> {
  const stack = [];
  for (const items of layers)
    stack.push({
      evidence: await analyseLayer(
        (async function* () {
          yield makeTar(items);
        })(),
      ),
    });
  return composeInventory(stack);
}

const names = ({ packages }: Inventory) => packages.map(({ name }) => name);
const module = (name: string): TarItem => ({
  name: `usr/lib/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version: '1.0.0' }),
});
const rpm = (name: string, vendor: string) =>
  makeHeader({
    1000: name,
    1001: '1.0',
    1002: '1.el9',
    1011: vendor,
    1116: [0],
    1117: ['package.json'],
    1118: [`/usr/lib/node_modules/${name}/`],
  });
/** A package of an image without apt, and the sums of its files. */
const fragment = (name: string, maintainer: string): TarItem[] => [
  {
    name: `var/lib/dpkg/status.d/${name}`,
    content: `Package: ${name}\nVersion: 1\nMaintainer: ${maintainer}\n`,
  },
  {
    name: `var/lib/dpkg/status.d/${name}.md5sums`,
    content: `e11d70c96979a1328ae4e7e50542782b  usr/lib/node_modules/${name}/package.json\n`,
  },
];
const database = makeSqlite([rpm('npm', 'Red Hat, Inc.'), rpm('agent', 'Somebody')]);
const osRelease = { name: 'etc/os-release', content: 'ID="rhel"\nVERSION_ID="9.3"\n' };

describe('packages of a distribution', () => {
  it('own their language packages when they are rpms of the distribution, and those of others are found', async () => {
    const inventory = await inventoryOf(
      [osRelease, { name: 'var/lib/rpm/rpmdb.sqlite', content: database }],
      [module('npm'), module('agent'), module('own')],
    );
    expect(inventory.packages.map(({ type, name, purl, thirdParty }) => [type, name, purl, thirdParty])).toEqual([
      ['npm', 'agent', 'pkg:npm/agent@1.0.0', undefined],
      ['npm', 'own', 'pkg:npm/own@1.0.0', undefined],
      ['rpm', 'agent', 'pkg:rpm/redhat/agent@1.0-1.el9?distro=rhel-9.3', true],
      ['rpm', 'npm', 'pkg:rpm/redhat/npm@1.0-1.el9?distro=rhel-9.3', undefined],
    ]);
  });

  it('are found where a link leads to their database', async () => {
    const inventory = await inventoryOf([
      { name: 'var/lib/rpm', type: 'symlink', link: '../../usr/lib/sysimage/rpm' },
      { name: 'usr/lib/sysimage/rpm/rpmdb.sqlite', content: database },
      { name: 'usr/lib/sysimage/rpm/rpmdb.sqlite-wal', content: '' },
    ]);
    expect(names(inventory)).toEqual(['agent', 'npm']);
    expect(inventory.gaps).toEqual([]);
  });

  it('may be others than the database says when it has a journal', async () => {
    const inventory = await inventoryOf([
      { name: 'var/lib/rpm/rpmdb.sqlite', content: database },
      { name: 'var/lib/rpm/rpmdb.sqlite-wal', content: 'x'.repeat(5000) },
    ]);
    expect(inventory.gaps.map(({ message }) => message)).toEqual([
      'var/lib/rpm/rpmdb.sqlite-wal: it has 5000 bytes, which may change the database beside it and are not read',
    ]);
  });

  it('are not those of a system inside the system', async () => {
    const inside = { name: 'opt/jail/var/lib/rpm/Packages', content: makeBdb([rpm('npm', 'CentOS')]) };
    expect(names(await inventoryOf([inside, module('npm')]))).toEqual(['npm']);
  });

  it('own what their checksums name in images without apt', async () => {
    const inventory = await inventoryOf([
      ...fragment('npm', 'A <a@debian.org>'),
      ...fragment('agent', 'B <b@datadoghq.com>'),
      module('npm'),
      module('agent'),
    ]);
    expect(inventory.packages.map(({ type, name }) => `${type} ${name}`)).toEqual([
      'deb agent',
      'deb npm',
      'npm agent',
    ]);
  });

  it('belong to the system that a link to a release file names', async () => {
    const { distribution } = await inventoryOf([
      { name: 'etc/redhat-release', type: 'symlink', link: 'centos-release' },
      { name: 'etc/centos-release', content: 'CentOS release 6.10 (Final)\n' },
    ]);
    expect(distribution).toMatchObject({ id: 'centos', version: '6.10' });
  });
});
