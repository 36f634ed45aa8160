import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { npmCataloger } from './cataloger.ts';
import { parsePackageJson } from './parse-package-json.ts';

describe('npmCataloger', () => {
  it.each([
    ['app/node_modules/a/package.json', true],
    ['node_modules/@scope/a/package.json', true],
    ['app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json', true],
    ['app/node_modules/a/node_modules/b/package.json', true],
    ['app/package.json', true],
    ['app/node_modules/a/dist/esm/package.json', false],
    ['app/node_modules/package.json', false],
    ['app/node_modules/a/my-package.json', false],
    ['app/package.json.bak', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(npmCataloger.wants(path)).toBe(wanted);
  });

  it.each([
    ['{"name":"a","version":"1.0.0","license":"MIT"}', [{ type: 'npm', name: 'a', version: '1.0.0', licence: 'MIT' }]],
    [
      '\ufeff{"name":"a","version":"1.0.0","license":{"type":"ISC"}}',
      [{ type: 'npm', name: 'a', version: '1.0.0', licence: 'ISC' }],
    ],
    [
      '{"name":"a","version":"1.0.0","licenses":[{"type":"MIT","url":"x"},{"type":"Apache-2.0"},3]}',
      [{ type: 'npm', name: 'a', version: '1.0.0', licence: 'MIT OR Apache-2.0' }],
    ],
    ['{"name":"a"}', []],
    ['{"type":"module"}', []],
  ])('reads %s', (text, packages) => {
    expect(parsePackageJson(Buffer.from(text))).toEqual({ packages });
  });

  it.each(['', '[', 'null', '"a"', `{"name":"${'a'.repeat(300)}","version":"1"}`, '{"name":"a b","version":"1"}'])(
    'finds a problem in %s',
    (text) => {
      expect(parsePackageJson(Buffer.from(text))).toMatchObject({ packages: [], problems: [expect.any(String)] });
    },
  );

  it('survives any JSON', () => {
    fc.assert(
      fc.property(
        fc.record({ name: fc.json(), version: fc.json(), license: fc.json() }),
        ({ name, version, license }) => {
          parsePackageJson(Buffer.from(`{"name":${name},"version":${version},"license":${license}}`));
        },
      ),
    );
  });
});
