import { describe, expect, it } from 'vitest';
import { makeTar, type TarItem } from '../../test/support/tar.ts';
import { analyseLayer } from './analyse-layer.ts';
import { composeInventory } from './compose.ts';

const MODULE = '{"name":"a","version":"1.0.0"}';
const status = (maintainer: string): TarItem => ({
  name: 'var/lib/dpkg/status',
  content: `Package: a\nStatus: install ok installed\nVersion: 1\nMaintainer: ${maintainer}\n\n`,
});
const list = (path: string): TarItem => ({ name: 'var/lib/dpkg/info/a.list', content: `${path}\n` });
const DEBIAN = 'Debian <a@lists.debian.org>';

async function languagePackages(items: readonly TarItem[]): Promise<string[]> {
  async function* bytes() {
    yield makeTar(items);
  }
  const { packages } = composeInventory([{ evidence: await analyseLayer(bytes()) }]);
  return packages.filter(({ type }) => type === 'npm').map(({ path }) => path);
}

describe('what a package of the distribution owns is not reported', () => {
  it.each<[string, TarItem[], string[]]>([
    [
      'listed below /lib, which is a link to usr/lib',
      [{ name: 'lib', type: 'symlink', link: 'usr/lib' }, list('/lib/node_modules/a/package.json'), status(DEBIAN)],
      [],
    ],
    ['listed where it lies', [list('/usr/lib/node_modules/a/package.json'), status(DEBIAN)], []],
    [
      'listed elsewhere',
      [list('/usr/share/node_modules/a/package.json'), status(DEBIAN)],
      ['usr/lib/node_modules/a/package.json'],
    ],
    [
      'listed by a package of somebody else',
      [list('/usr/lib/node_modules/a/package.json'), status('NodeSource <a@nodesource.com>')],
      ['usr/lib/node_modules/a/package.json'],
    ],
  ])('%s', async (_how, items, expected) => {
    expect(
      await languagePackages([...items, { name: 'usr/lib/node_modules/a/package.json', content: MODULE }]),
    ).toEqual(expected);
  });
});
