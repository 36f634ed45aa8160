import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listedPackage } from './cataloger.ts';
import { parseFileList } from './parse-file-list.ts';
import { parseStatus } from './parse-status.ts';

const parse = (text: string, fragment = false) => parseStatus(Buffer.from(text), { fragment });
const stanza = (state: string, more = '') => `Package: a\nStatus: install ok ${state}\nVersion: 1.0-1\n${more}\n`;

describe('parseStatus', () => {
  it.each([
    ['installed', true],
    ['unpacked', true],
    ['half-configured', true],
    ['triggers-pending', true],
    ['config-files', false],
    ['not-installed', false],
    ['half-installed', false],
  ])('a package in the state %s is there: %s', (state, there) => {
    expect(parse(stanza(state)).packages).toHaveLength(there ? 1 : 0);
  });

  it.each([
    ['', undefined],
    ['Source: a\n', undefined],
    ['Source: src\n', { name: 'src', version: '1.0-1' }],
    ['Source: src (2:0.9-3)\n', { name: 'src', version: '2:0.9-3' }],
    ['Source: a (0.9-3)\n', { name: 'a', version: '0.9-3' }],
  ])('takes the source from %j', (field, source) => {
    expect(parse(stanza('installed', field)).packages[0]?.source).toEqual(source);
  });

  it('takes fragments without a state, whatever the case of fields, and passes over continued lines', () => {
    const text =
      'PACKAGE: tzdata\nversion: 2024a-0\nDescription: zones\n Package: fake\n\tVersion: 0\narchitecture: all\n';
    expect(parse(text, true).packages).toEqual([{ type: 'deb', name: 'tzdata', version: '2024a-0', arch: 'all' }]);
    expect(parse(text).problems).toEqual(['line 1: package tzdata has no status']);
  });

  it('keeps the rest when an entry is malformed, and says where', () => {
    const { packages, problems } = parse(
      `Status: install ok installed\nVersion: 1\n\nPackage: b\nStatus: install ok installed\n\n${stanza('installed')}`,
    );
    expect(packages.map(({ name }) => name)).toEqual(['a']);
    expect(problems).toEqual(['line 1: an entry without a package name', 'line 4: package b has no version']);
  });

  it.each([
    ['NSolid <nsolid-gpg@nodesource.com>', '1.0-1', true],
    ['cudatools <cudatools@nvidia.com>', '1.0-1', true],
    ['Some One <one@nvidia.com>', '1.0-1', false],
    ['Some One <one@debian.org>', '1.0-1', false],
    ['Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>', '16.4-1.pgdg120+2', true],
    ['Debian PHP Maintainers <team+pkg-php@tracker.debian.org>', '8.2.4-1+0~20230409.59+debian11~1.gbp60f0cf', true],
    ['Some One <one@example.org>', '0.25.2-1jammy.20230422.013255', true],
    ['@'.repeat(5000), '1.0-1', false],
  ])('%s with version %s is a maker outside the distribution: %s', (maintainer, version, expected) => {
    const { packages, thirdParty } = parse(
      `Package: a\nStatus: install ok installed\nVersion: ${version}\nMaintainer: ${maintainer}\n`,
    );
    expect(thirdParty).toEqual(expected ? ['a'] : []);
    expect(packages[0]?.thirdParty).toBe(expected ? true : undefined);
  });

  it('survives any bytes', () => {
    const line = fc.constantFrom(
      'Package: a\n',
      'Version: 1\n',
      'Status: install ok installed\n',
      'Source: (',
      '\n',
      ' x\n',
      ':',
    );
    fc.assert(
      fc.property(fc.array(line), fc.uint8Array({ maxLength: 300 }), fc.boolean(), (lines, noise, fragment) => {
        for (const pkg of parseStatus(Buffer.concat([Buffer.from(lines.join('')), noise]), { fragment }).packages)
          expect(`${pkg.name} ${pkg.version}`).toMatch(/^\S+ \S+$/);
      }),
    );
  });
});

describe('file lists', () => {
  it('keep what makes language packages known', () => {
    const list =
      '/.\n/usr/share/nodejs/semver/package.json\n/usr/share/nodejs/npm/node_modules/@a/b/package.json\n/usr/bin/npm\n';
    expect(parseFileList(Buffer.from(list))).toEqual([
      'usr/share/nodejs/semver/package.json',
      'usr/share/nodejs/npm/node_modules/@a/b/package.json',
      'usr/bin/npm',
    ]);
  });

  it('of fragments have sums before the paths', () => {
    const sum = 'e11d70c96979a1328ae4e7e50542782b';
    const list = `${sum}  usr/lib/node_modules/npm/package.json\n${sum}  ./a/node_modules/b/package.json\n${sum}  usr/bin/npm\n`;
    expect(parseFileList(Buffer.from(list))).toEqual([
      'usr/lib/node_modules/npm/package.json',
      'a/node_modules/b/package.json',
      'usr/bin/npm',
    ]);
  });

  it('are named after their package', () => {
    expect(listedPackage('var/lib/dpkg/status.d/libc6.md5sums')).toBe('libc6');
    expect(listedPackage('var/lib/dpkg/status.d/libc6')).toBeUndefined();
    expect(listedPackage('var/lib/dpkg/info/libc6:amd64.list')).toBe('libc6');
    expect(listedPackage('var/lib/dpkg/info/npm.list')).toBe('npm');
    expect(listedPackage('var/lib/dpkg/status')).toBeUndefined();
  });
});
