import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePurl } from './parse-purl.ts';

function parse(text: string) {
  const { qualifiers, ...parts } = parsePurl(text) ?? { qualifiers: new Map() };
  return qualifiers.size === 0 ? parts : { ...parts, qualifiers: Object.fromEntries(qualifiers) };
}

describe('parsePurl', () => {
  it.each([
    ['pkg:npm/foobar@12.3.1', { type: 'npm', name: 'foobar', version: '12.3.1' }],
    [
      'pkg:npm/%40angular/animation@12.3.1',
      { type: 'npm', namespace: '@angular', name: 'animation', version: '12.3.1' },
    ],
    ['pkg:npm/@angular/animation', { type: 'npm', namespace: '@angular', name: 'animation' }],
    [
      'PKG:NuGet/EnterpriseLibrary.Common@6.0.1304',
      { type: 'nuget', name: 'EnterpriseLibrary.Common', version: '6.0.1304' },
    ],
    [
      'pkg:golang/google.golang.org/genproto@abcdedf#/googleapis/./api//annotations/',
      {
        type: 'golang',
        namespace: 'google.golang.org',
        name: 'genproto',
        version: 'abcdedf',
        subpath: 'googleapis/api/annotations',
      },
    ],
    [
      'pkg:deb/debian/attr@1:2.4.47-2%2Bb2?distro=jessie&Arch=source&empty=',
      {
        type: 'deb',
        namespace: 'debian',
        name: 'attr',
        version: '1:2.4.47-2+b2',
        qualifiers: { distro: 'jessie', arch: 'source' },
      },
    ],
    ['pkg://maven//org.apache/commons@1', { type: 'maven', namespace: 'org.apache', name: 'commons', version: '1' }],
    ['pkg:generic/a@', { type: 'generic', name: 'a' }],
    ['pkg:generic/a?k=a%26b%3Dc', { type: 'generic', name: 'a', qualifiers: { k: 'a&b=c' } }],
    ['pkg:generic/a?__proto__=1', { type: 'generic', name: 'a', qualifiers: Object.fromEntries([['__proto__', '1']]) }],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    '',
    'npm/foobar',
    'pkg:',
    'pkg:npm',
    'pkg:npm/',
    'pkg:/npm',
    'pkg:9x/name',
    'pkg:npm/a%',
    'pkg:npm/a%ff',
    'pkg:npm/a%00b',
    'pkg:npm/a?x=%zz',
    'pkg:npm/a%1b[31m',
    `pkg:npm/${'a'.repeat(10_000)}`,
  ])('refuses %j', (text) => {
    expect(parsePurl(text)).toBeUndefined();
  });

  it('never throws', () => {
    const piece = fc.constantFrom('pkg:', 'npm', '/', '@', '?', '#', '&', '=', '%', '%40', '%2', 'a', '\0', '\ud800');
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => void parsePurl(pieces.join(''))));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parsePurl(`pkg:${text}`)));
  });
});
