import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { makeZip } from '../../zip/make-zip.testing.ts';
import { pythonCataloger } from './cataloger.ts';
import { readMailHeaders } from './mail-headers.ts';
import { parseMetadata } from './parse-metadata.ts';

const FLASK = 'Metadata-Version: 2.1\nName: Flask\nVersion: 3.1.3\nLicense-Expression: BSD-3-Clause\n\nName: not me\n';

describe('pythonCataloger', () => {
  it.each([
    ['usr/lib/python3.11/site-packages/flask-3.1.3.dist-info/METADATA', true],
    ['usr/lib/python3/dist-packages/six-1.16.0.egg-info', true],
    ['usr/lib/python3/dist-packages/yaml.egg-info/PKG-INFO', true],
    ['srv/a.egg/EGG-INFO/PKG-INFO', true],
    ['EGG-INFO/PKG-INFO', true],
    ['srv/monotonic-1.6-py3.10.egg', true],
    ['flask-3.1.3.dist-info/RECORD', false],
    ['usr/share/python-wheels/pip-23.0.1-py3-none-any.whl', false],
    ['src/PKG-INFO', false],
    ['dist-info/METADATA', false],
    ['a/.egg', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(pythonCataloger.wants(path)).toBe(wanted);
  });

  it.each([
    ['as pip writes it', FLASK, { name: 'Flask', version: '3.1.3', licence: 'BSD-3-Clause' }],
    ['names in any case', 'name: A\nVERSION: 1\n', { name: 'A', version: '1' }],
    ['the first of several', 'Name: a\nVersion: 1\nVersion: 2\nName: b\n', { name: 'a', version: '1' }],
    ['line ends of Windows', 'Name: a\r\nVersion: 1\r\n\r\nName: b', { name: 'a', version: '1' }],
    ['a byte order mark', '\ufeffName: a\nVersion: 1', { name: 'a', version: '1' }],
    [
      'a folded licence, and not a text for one',
      `Name: a\nVersion: 1\nLicense: ${'x '.repeat(200)}\nClassifier: License :: OSI Approved :: MIT License\n`,
      { name: 'a', version: '1', licence: 'MIT License' },
    ],
    ['no licence', 'Name: a\nVersion: 1\nLicense: UNKNOWN\n', { name: 'a', version: '1' }],
  ])('reads %s', (_what, text, expected) => {
    expect(parseMetadata(Buffer.from(text))).toEqual({ packages: [{ type: 'pypi', ...expected }] });
  });

  it.each([
    ['nothing', ''],
    ['no version', 'Name: a\n'],
    ['a version after the headers', 'Name: a\n\nVersion: 1\n'],
    ['a line that is no header', 'Name: a\noh dear\nVersion: 1\n'],
    ['a name with blanks', 'Name: a b\nVersion: 1\n'],
    ['a name with a line break', 'Name: a\n b\nVersion: 1\n'],
    ['a name of a mebibyte', `Name: ${'a'.repeat(1024 * 1024)}\nVersion: 1\n`],
  ])('finds a problem in %s', (_what, text) => {
    expect(parseMetadata(Buffer.from(text))).toEqual({ packages: [], problems: [expect.any(String)] });
  });

  it('joins folded lines as Python does', () => {
    expect(readMailHeaders(Buffer.from(' lost\nA: 1\n\t2\n  3\nB:\n'))).toEqual(
      new Map([
        ['a', ['1 2 3']],
        ['b', ['']],
      ]),
    );
  });

  it('reads a zipped egg', () => {
    const egg = makeZip([
      { name: 'a/__init__.py', content: '' },
      { name: 'EGG-INFO/PKG-INFO', content: FLASK },
    ]);
    expect(pythonCataloger.catalog('a.egg', viewOf(egg)).packages).toMatchObject([{ name: 'Flask' }]);
  });

  it.each([
    ['an egg without metadata', makeZip([{ name: 'a.py', content: '' }])],
    ['an egg that is no archive', Buffer.from('PK')],
    ['a bomb', makeZip([{ name: 'EGG-INFO/PKG-INFO', content: Buffer.alloc(16 * 1024 * 1024) }])],
  ])('finds a problem in %s', (_what, egg) => {
    expect(pythonCataloger.catalog('a.egg', viewOf(egg))).toEqual({ packages: [], problems: [expect.any(String)] });
  });

  it('reads a folded header of many lines in linear time', () => {
    const text = `Name: a\nVersion: 1\nDescription: x\n${' y\n'.repeat(1_000_000)}`;
    expect(parseMetadata(Buffer.from(text)).packages).toHaveLength(1);
  });

  it('survives any mutation', () => {
    const original = Buffer.from(FLASK);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 20 }), (changes) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of changes) bytes[at] = value;
        const { packages, problems = [] } = parseMetadata(bytes);
        expect(packages.length + problems.length).toBe(1);
      }),
    );
  });
});
