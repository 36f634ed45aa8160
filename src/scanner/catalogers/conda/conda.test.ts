import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { condaCataloger } from './cataloger.ts';
import { parseCondaMeta } from './parse-conda-meta.ts';

describe('condaCataloger', () => {
  it.each([
    ['opt/conda/conda-meta/zlib-1.2.11-h90dfc92_1014.json', true],
    ['conda-meta/zlib.json', true],
    ['opt/conda/conda-meta/history', false],
    ['opt/conda/pkgs/cache/a.json', false],
    ['opt/conda-meta/a/b.json', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(condaCataloger.wants(path)).toBe(wanted);
  });

  it('reads name, version and licence', () => {
    const record = '{"name":"zlib","version":"1.2.11","license":"Zlib","build":"h90dfc92_1014","files":[]}';
    expect(parseCondaMeta(Buffer.from(record))).toEqual({
      packages: [{ type: 'conda', name: 'zlib', version: '1.2.11', licence: 'Zlib' }],
    });
  });

  it.each(['', '[', 'null', '[]', '{"name":"a"}', '{"name":"a","version":1}', '{"name":"a b","version":"1"}'])(
    'finds a problem in %s',
    (text) => {
      expect(parseCondaMeta(Buffer.from(text))).toEqual({ packages: [], problems: [expect.any(String)] });
    },
  );

  it('survives any JSON', () => {
    fc.assert(
      fc.property(
        fc.record({ name: fc.json(), version: fc.json(), license: fc.json() }),
        ({ name, version, license }) => {
          parseCondaMeta(Buffer.from(`{"name":${name},"version":${version},"license":${license}}`));
        },
      ),
    );
  });
});
