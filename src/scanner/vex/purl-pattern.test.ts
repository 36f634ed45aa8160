import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePattern } from './purl-pattern.ts';

describe('package URLs', () => {
  it.each([
    ['pkg:npm/%40angular/core@12.3.1', { type: 'npm', path: '@angular/core', version: '12.3.1' }],
    ['pkg:npm/@angular/core@12.3.1', { type: 'npm', path: '@angular/core', version: '12.3.1' }],
    ['pkg:npm/@angular/core', { type: 'npm', path: '@angular/core' }],
    ['pkg://PyPI/Zope.Interface@5#sub', { type: 'pypi', path: 'zope-interface', version: '5' }],
    ['pkg:maven/org.Acme/App', { type: 'maven', path: 'org.Acme/App' }],
    ['pkg:golang/github.com/a/b@v1.0.0?type=module', { type: 'golang', path: 'github.com/a/b', version: 'v1.0.0' }],
    ['pkg:oci/a@sha256%3A00', { type: 'oci', path: 'a', version: 'sha256:00' }],
  ])('%s', (text, parts) => expect(parsePattern(text)).toMatchObject(parts));

  it.each([
    '',
    'pkg:',
    'pkg:npm',
    'pkg:npm/',
    'npm/a@1',
    'pkg:npm/%E0%A4',
    'pkg:n m/a',
    'pkg:npm/a@',
    'pkg:npm/a@?arch=x',
    'pkg:npm/a@1?arch=%zz',
  ])('%j is none', (text) => expect(parsePattern(text)).toBeUndefined());

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePattern(`pkg:${text}`)));
  });
});
