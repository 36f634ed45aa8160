import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { alpmCataloger } from './cataloger.ts';

const FOLDER = 'var/lib/pacman/local/gmp-6.2.1-2';
const catalog = (name: string, text: string) => alpmCataloger.catalog(`${FOLDER}/${name}`, viewOf(Buffer.from(text)));

describe('alpmCataloger', () => {
  it('reads a package with its base, architecture and licences', () => {
    const text =
      '%NAME%\nlib32-gmp\n\n%VERSION%\n1:6.2.1-2\n\n%BASE%\ngmp\n\n%ARCH%\nx86_64\n\n%LICENSE%\nLGPL3\nGPL\n\n%NAME%\nfake\n';
    expect(catalog('desc', text)).toEqual({
      packages: [
        {
          type: 'alpm',
          name: 'lib32-gmp',
          version: '1:6.2.1-2',
          arch: 'x86_64',
          source: { name: 'gmp', version: '1:6.2.1-2' },
          licence: 'LGPL3 AND GPL',
        },
      ],
    });
  });

  it.each([
    ['', 'a package without name'],
    ['%NAME%\n\n%VERSION%\n1-1\n', 'a package without name'],
    ['%NAME%\n%VERSION%\n1-1\n', 'package %VERSION% has no version'],
    ['%NAME%\ngawk\n\n%VERSION%\n', 'package gawk has no version'],
    ['%NAME%\ngawk\n\n%VERSION%\n1 1\n', 'package gawk has no version'],
  ])('says what is missing in %j', (text, problem) => {
    expect(catalog('desc', text)).toEqual({ problems: [problem] });
  });

  it('knows the language packages that a package owns', () => {
    const text =
      '%FILES%\nusr/\nusr/lib/node_modules/npm/package.json\nusr/share/npm.html\n\n%BACKUP%\na/node_modules/b/package.json\tx\n';
    expect(catalog('files', text)).toEqual({ owned: ['usr/lib/node_modules/npm/package.json'] });
  });

  it('wants what lies in the folder of a package', () => {
    expect(['desc', 'files', 'mtree', 'x/desc'].map((name) => alpmCataloger.wants(`${FOLDER}/${name}`))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('survives any bytes', () => {
    const line = fc.constantFrom('%NAME%\n', '%VERSION%\n', '%FILES%\n', 'a\n', '1-1\n', '\n', '%%\n');
    fc.assert(
      fc.property(fc.array(line), fc.uint8Array({ maxLength: 200 }), (lines, noise) => {
        for (const name of ['desc', 'files'])
          for (const pkg of catalog(name, lines.join('') + Buffer.from(noise).toString('latin1')).packages ?? [])
            expect(`${pkg.name} ${pkg.version}`).toMatch(/^\S+ \S+$/);
      }),
    );
  });
});
