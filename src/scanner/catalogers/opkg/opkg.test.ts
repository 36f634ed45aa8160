import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { opkgCataloger } from './cataloger.ts';

const catalog = (path: string, text: string) => opkgCataloger.catalog(path, viewOf(Buffer.from(text)));

describe('opkgCataloger', () => {
  it('reads what is installed, without recipes as sources', () => {
    const text =
      'Package: busybox\nVersion: 1.36.1-r2\nStatus: install user installed\nSource: busybox_1.36.1.bb\nArchitecture: x86_64\n\n' +
      'Package: gone\nVersion: 1\nStatus: deinstall ok not-installed\nArchitecture: all\n\nPackage: bad\nStatus: install ok installed\n';
    expect(catalog('usr/lib/opkg/status', text)).toEqual({
      packages: [{ type: 'opkg', name: 'busybox', version: '1.36.1-r2', arch: 'x86_64' }],
      problems: ['line 12: package bad has no version'],
    });
  });

  it('knows the language packages that a package owns', () => {
    expect(
      catalog('var/lib/opkg/info/npm.list', '/a/node_modules/b/package.json\t0100644\n/usr/share/npm.html\t0755\n'),
    ).toEqual({
      owned: ['a/node_modules/b/package.json'],
    });
  });

  it.each([
    ['usr/lib/opkg/status', true],
    ['opt/lib/opkg/status', true],
    ['usr/lib/opkg/info/a.list', true],
    ['usr/lib/opkg/info/a.control', false],
    ['usr/lib/opkg/lists/x', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(opkgCataloger.wants(path)).toBe(wanted);
  });
});
