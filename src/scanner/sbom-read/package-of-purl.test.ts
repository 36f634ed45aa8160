import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PACKAGE_TYPES } from '../../model/inventory.ts';
import type { StatedPackage } from '../model.ts';
import { parsePurl } from '../parse-purl.ts';
import { packageUrl } from '../purl.ts';
import { packageOfPurl } from './package-of-purl.ts';

describe('packageOfPurl', () => {
  it.each([
    [
      'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
      { type: 'maven', name: 'org.apache.logging.log4j:log4j-core', version: '2.14.1' },
    ],
    ['pkg:composer/symfony/http-kernel@v4.4.1', { type: 'composer', name: 'symfony/http-kernel', version: 'v4.4.1' }],
    [
      'pkg:swift/github.com/apple/swift-nio@2.0.0',
      { type: 'swift', name: 'github.com/apple/swift-nio', version: '2.0.0' },
    ],
    [
      'pkg:rpm/redhat/bash@5.1.8-6.el9?arch=x86_64&epoch=2',
      { type: 'rpm', name: 'bash', version: '2:5.1.8-6.el9', arch: 'x86_64' },
    ],
    [
      'pkg:rpm/centos/npm@6-1?modularitylabel=nodejs:12:8030020201124152102:229f0a1c',
      { type: 'rpm', name: 'npm', version: '6-1', module: 'nodejs:12' },
    ],
    ['pkg:deb/debian/tar@1:1.34?epoch=1', { type: 'deb', name: 'tar', version: '1:1.34' }],
    ['pkg:gem/nokogiri@1.13.0-x86_64-linux', { type: 'gem', name: 'nokogiri', version: '1.13.0' }],
    ['pkg:gem/nokogiri@1.13.0?platform=java', { type: 'gem', name: 'nokogiri', version: '1.13.0' }],
    [
      'pkg:bitnami/redis@7.4.0-0?arch=arm64&distro=debian-12',
      { type: 'bitnami', name: 'redis', version: '7.4.0-0', arch: 'arm64' },
    ],
    ['pkg:docker/alpine@3', undefined],
    ['pkg:constructor/a', undefined],
  ])('%s', (text, expected) => {
    const parts = parsePurl(text);
    expect(parts && packageOfPurl(parts)).toEqual(expected);
  });

  it('is the inverse of packageUrl', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9.+-]{0,10}$/);
    const name = (type: string) => {
      if (type === 'maven') return fc.tuple(word, word).map(([group, artifact]) => `${group}:${artifact}`);
      if (type === 'golang' || type === 'swift')
        return fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
      if (type === 'composer') return fc.tuple(word, word).map((parts) => parts.join('/'));
      if (type === 'npm') return fc.tuple(fc.boolean(), word, word).map(([scope, a, b]) => (scope ? `@${a}/${b}` : b));
      return word;
    };
    const stated: fc.Arbitrary<StatedPackage> = fc.constantFrom(...PACKAGE_TYPES).chain((type) =>
      fc.tuple(name(type), fc.stringMatching(/^[0-9][a-zA-Z0-9.+~^_]{0,10}$/), fc.option(fc.nat(3))).map(
        ([name, version, epoch]): StatedPackage => ({
          type,
          name,
          version: type === 'rpm' && epoch !== null ? `${epoch}:${version}` : version,
          ...(type === 'rpm' ? { arch: 'x86_64', module: 'nodejs:12' } : {}),
        }),
      ),
    );
    const distribution = { id: 'rhel', version: '9.4', idLike: [], rolling: false };
    fc.assert(
      fc.property(stated, (pkg) => {
        const parts = parsePurl(packageUrl(pkg, distribution));
        expect(parts && packageOfPurl(parts)).toEqual(pkg);
      }),
    );
  });
});
