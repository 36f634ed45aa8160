import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../model/inventory.ts';
import { inventoryOf, lookupOf } from './lookup.testing.ts';
import { matchInventory } from './match.ts';

const alpine = { id: 'alpine', version: '3.20.3' };
const debian = { id: 'debian', version: '12' };

function npm(version: string): Inventory {
  return inventoryOf([{ type: 'npm', name: 'p', version }]);
}

describe('matching', () => {
  it('looks Alpine packages up by origin, under the exact release', () => {
    const libssl = { name: 'libssl3', version: '3.3.2-r0', source: { name: 'openssl', version: '3.3.2-r0' } };
    const lookup = lookupOf({
      'Alpine:v3.20 openssl': [{ ids: ['CVE-2024-9143'], ranges: [{ fixed: '3.3.2-r1' }] }],
      'Alpine:v3.19 openssl': [{ ids: ['CVE-2000-0001'], ranges: [{}] }],
      'Alpine:v3.20 libssl3': [{ ids: ['CVE-2000-0002'], ranges: [{}] }],
    });
    const { findings } = matchInventory(inventoryOf([libssl], alpine), lookup);
    expect(findings).toMatchObject([
      { id: 'CVE-2024-9143', installed: '3.3.2-r0', fixed: '3.3.2-r1', status: 'affected' },
    ]);
  });

  it('compares the source version of Debian packages', () => {
    const rebuilt = { type: 'deb' as const, name: 'bin', version: '9:1.0', source: { name: 'src', version: '1.2-1' } };
    const lookup = lookupOf({ 'Debian:12 src': [{ ids: ['CVE-2024-0001'], ranges: [{ fixed: '1.2-2' }] }] });
    expect(matchInventory(inventoryOf([rebuilt], debian), lookup).findings).toMatchObject([
      { installed: '9:1.0', fixed: '1.2-2' },
    ]);
  });

  it.each([
    ['alpine', '3.21.0_alpha20240923', false, 'Alpine:edge'],
    ['alpine', '3.20.3', true, 'Alpine:edge'],
    ['alpine', '3.20', false, 'Alpine:v3.20'],
    ['debian', '12', false, 'Debian:12'],
    ['debian', '12.5', false, 'Debian:12'],
  ])('knows %s %s (rolling %s) as %s', (id, version, rolling, ecosystem) => {
    const pkg = { type: id === 'debian' ? ('deb' as const) : ('apk' as const), version: '1' };
    const { missing } = matchInventory(inventoryOf([pkg], { id, version, rolling }), lookupOf({}));
    expect(missing).toEqual([ecosystem]);
  });

  it.each([
    [{ id: 'debian', codename: 'sid', rolling: true }, 'apk packages of debian'],
    [{ id: 'ubuntu', version: '24.04', prettyName: 'Ubuntu 24.04 LTS' }, 'apk packages of Ubuntu 24.04 LTS'],
    [{ id: 'fedora', version: '40' }, 'apk packages of fedora 40'],
    [undefined, 'apk packages of an unknown distribution'],
  ])('never takes silence for health: %j', (distribution, missing) => {
    expect(matchInventory(inventoryOf([{}], distribution), lookupOf({})).missing).toEqual([missing]);
  });

  it('says which ecosystems rest on samples only', () => {
    const lookup = lookupOf({ 'npm a': [], 'Alpine:v3.20 p': [] }, {}, ['npm']);
    const result = matchInventory(inventoryOf([{}, { type: 'npm', name: 'a', version: '1.0.0' }], alpine), lookup);
    expect(result).toMatchObject({ sampled: ['npm'], missing: [] });
    expect(result.sources.map(({ ecosystem }) => ecosystem)).toEqual(['Alpine:v3.20', 'npm']);
  });

  it('reports a package whose version cannot be compared', () => {
    const lookup = lookupOf({ 'Alpine:v3.20 p': [{ ids: ['CVE-2024-0001'], ranges: [{}] }] });
    const { findings, gaps } = matchInventory(inventoryOf([{ version: 'what' }], alpine), lookup);
    expect([findings, gaps]).toMatchObject([
      [],
      [{ kind: 'malformed-entry', message: expect.stringContaining('"what" is no apk version') }],
    ]);
  });
});

describe('one row per vulnerability and package', () => {
  it('merges records by their aliases under the CVE, and keeps every severity', () => {
    const lookup = lookupOf(
      {
        'npm p': [
          {
            advisory: 'NSWG-1',
            ids: ['GHSA-a', 'NSWG-1'],
            ranges: [{ fixed: '1.2.0' }],
            severities: [{ source: 'nswg', severity: 'low' }],
          },
          {
            advisory: 'GHSA-a',
            ids: ['CVE-2024-0001', 'GHSA-a'],
            ranges: [{ fixed: '1.3.0' }],
            severities: [{ source: 'ghsa', severity: 'high' }],
          },
        ],
      },
      {
        'CVE-2024-0001': {
          severities: [{ source: 'nvd', severity: 'critical', score: 9.8 }],
          kev: '2024-05-01',
          epss: { probability: 0.5, percentile: 0.9 },
          published: '2024-01-01T00:00:00Z',
        },
      },
    );
    expect(matchInventory(npm('1.0.0'), lookup).findings).toEqual([
      expect.objectContaining({
        id: 'CVE-2024-0001',
        aliases: ['GHSA-a', 'NSWG-1'],
        fixed: '1.3.0',
        severities: [
          { source: 'ghsa', severity: 'high' },
          { source: 'nswg', severity: 'low' },
          { source: 'nvd', severity: 'critical', score: 9.8 },
        ],
        kev: '2024-05-01',
        epss: { probability: 0.5, percentile: 0.9 },
        published: '2024-01-01T00:00:00Z',
        advisories: ['GHSA-a', 'NSWG-1'],
      }),
    ]);
  });

  it('follows aliases in circles to an end', () => {
    const lookup = lookupOf({
      'npm p': [
        { ids: ['A', 'B'], ranges: [{}] },
        { ids: ['B', 'C'], ranges: [{}] },
        { ids: ['C', 'A'], ranges: [{}] },
      ],
    });
    expect(matchInventory(npm('1.0.0'), lookup).findings).toMatchObject([{ id: 'A', aliases: ['B', 'C'] }]);
  });

  it('does not follow aliases to another package', () => {
    const lookup = lookupOf({
      'npm p': [{ ids: ['GHSA-a'], ranges: [{}] }],
      'npm q': [{ ids: ['CVE-2024-0001', 'GHSA-a'], ranges: [{}] }],
    });
    expect(matchInventory(npm('1.0.0'), lookup).findings).toMatchObject([{ id: 'GHSA-a', aliases: [] }]);
  });

  it.each([
    ['the higher of two fixes', '1.0.0', [{ ranges: [{ fixed: '1.1.0' }] }, { ranges: [{ fixed: '1.2.0' }] }], '1.2.0'],
    [
      'the fix of the own branch',
      '1.0.0',
      [{ ranges: [{ fixed: '1.5.0' }, { introduced: '2.0.0', fixed: '2.1.0' }] }],
      '1.5.0',
    ],
    [
      'no fix that is affected again',
      '1.0.0',
      [{ ranges: [{ fixed: '1.5.0' }] }, { ranges: [{ introduced: '1.5.0', fixed: '1.6.0' }] }],
      '1.6.0',
    ],
    ['none while one record knows none', '1.0.0', [{ ranges: [{ fixed: '1.5.0' }] }, { ranges: [{}] }], undefined],
    ['none after a last affected version', '1.0.0', [{ ranges: [{ lastAffected: '1.4.0' }] }], undefined],
    ['none for listed versions', '1.0.0', [{ versions: ['1.0.0'] }], undefined],
  ])('names %s', (_, version, statements, fixed) => {
    const lookup = lookupOf({ 'npm p': statements.map((statement) => ({ ...statement, ids: ['CVE-2024-0001'] })) });
    const { findings } = matchInventory(npm(version), lookup);
    expect(findings.map((finding) => finding.fixed)).toEqual([fixed]);
  });

  it.each([
    ['1.4.0', [{ lastAffected: '1.4.0' }], true],
    ['1.4.1', [{ lastAffected: '1.4.0' }], false],
    ['1.5.0', [{ fixed: '1.5.0' }], false],
    ['1.5.0-rc.1', [{ fixed: '1.5.0' }], true],
    ['9.0.0', [{ introduced: '9.0.0', fixed: '1.0.0' }], false],
  ])('version %s in %j: %s', (version, ranges, affected) => {
    const lookup = lookupOf({ 'npm p': [{ ids: ['CVE-2024-0001'], ranges }] });
    expect(matchInventory(npm(version), lookup).findings.length > 0).toBe(affected);
  });

  it('lets "never affected" veto what other feeds say, for that vulnerability only', () => {
    const lookup = lookupOf({
      'npm p': [
        { ids: ['CVE-2024-0001'], never: true },
        { ids: ['CVE-2024-0001', 'GHSA-a'], ranges: [{}] },
        { ids: ['CVE-2024-0002'], ranges: [{}] },
      ],
    });
    expect(matchInventory(npm('1.0.0'), lookup).findings.map(({ id }) => id)).toEqual(['CVE-2024-0002']);
  });

  it('reports nothing for a rejected CVE', () => {
    const lookup = lookupOf(
      { 'npm p': [{ ids: ['CVE-2024-0001'], ranges: [{}] }] },
      { 'CVE-2024-0001': { rejected: true } },
    );
    expect(matchInventory(npm('1.0.0'), lookup).findings).toEqual([]);
  });

  it('says what the publisher says about its will to fix', () => {
    const lookup = lookupOf({ 'npm p': [{ ids: ['CVE-2024-0001'], ranges: [{}], status: 'end_of_life' }] });
    expect(matchInventory(npm('1.0.0'), lookup).findings).toMatchObject([{ status: 'end_of_life' }]);
  });
});

const fixedIn = (fixed: string) => ({
  'Rocky Linux:9 perl': [{ ids: ['CVE-2024-0001'], ranges: [{ fixed }] }],
});

describe('rpm packages', () => {
  const rhel = { id: 'rhel', version: '9.4' };
  const libs = { type: 'rpm' as const, name: 'openssl-libs', version: '1:3.0.7-1.el9', arch: 'x86_64' };
  const source = { name: 'openssl', version: '3.0.7-1.el9' };
  const rows = (pkg: object, statements: Parameters<typeof lookupOf>[0], distribution: object = rhel) =>
    matchInventory(inventoryOf([{ ...libs, ...pkg }], distribution), lookupOf(statements)).findings.map(
      ({ id, fixed, status }) => [id, fixed, status],
    );

  it('are known by their own name and their source, under every product of the release', () => {
    const statements = {
      'Red Hat:enterprise_linux:9::baseos openssl-libs': [
        { ids: ['CVE-2024-0001'], ranges: [{ fixed: '1:3.0.7-2.el9' }] },
      ],
      'Red Hat:enterprise_linux:9 openssl': [
        { ids: ['CVE-2024-0002'], ranges: [{}], status: 'fix_deferred' as const },
        { ids: ['CVE-2024-0003'], ranges: [{ fixed: '1:3.0.7-1.el9' }] },
      ],
      'Red Hat:rhel_eus:9.2::baseos openssl-libs': [{ ids: ['CVE-2024-0004'], ranges: [{}] }],
    };
    expect(rows({ source }, statements)).toEqual([
      ['CVE-2024-0001', '1:3.0.7-2.el9', 'affected'],
      ['CVE-2024-0002', undefined, 'fix_deferred'],
    ]);
  });

  it('are compared without epochs where that of the source is not known', () => {
    const pkg = { name: 'perl-Errno', version: '1.30-481.el9', source: { name: 'perl', version: '5.32.1-481.el9' } };
    const rocky = { id: 'rocky', version: '9.3' };
    expect(rows(pkg, fixedIn('4:5.32.1-481.el9'), rocky)).toEqual([]);
    expect(rows(pkg, fixedIn('4:5.32.1-482.el9'), rocky)).toEqual([['CVE-2024-0001', '5.32.1-482.el9', 'affected']]);
  });

  it.each([
    ['a statement about its stream', 'nodejs:12', { module: 'nodejs:12' }, true],
    ['a label with build numbers', 'nodejs:12:80300:abc', { module: 'nodejs:12' }, true],
    ['a statement about another stream', 'nodejs:14', { module: 'nodejs:12' }, false],
    ['a statement about no stream, while there is one', 'nodejs:12', {}, false],
    ['a package of no stream', undefined, { module: 'nodejs:12' }, false],
    ['a package and a statement of none', undefined, {}, true],
  ])('module streams: %s', (_, module, statement, affected) => {
    const nodejs = {
      name: 'nodejs',
      version: '1:12.22.1-1.el8',
      ...(module === undefined ? {} : { module }),
    };
    const statements = {
      'Red Hat:enterprise_linux:8 nodejs': [
        { ids: ['CVE-2024-0001'], ranges: [{}], ...statement },
        { ids: ['CVE-2024-0002'], ranges: [{ fixed: '1:1-1' }], module: 'nodejs:10' },
      ],
    };
    expect(rows(nodejs, statements, { id: 'rhel', version: '8' }).length > 0).toBe(affected);
  });

  it('of a module are judged by what names no stream where nothing names one', () => {
    const statements = { 'Red Hat:enterprise_linux:8 nodejs': [{ ids: ['CVE-2024-0001'], ranges: [{}] }] };
    expect(rows({ name: 'nodejs', module: 'nodejs:12' }, statements, { id: 'rhel', version: '8' })).toHaveLength(1);
  });

  it.each([
    ['1:12.20.1-1.module_el8.4.0+1', 'nodejs:12', true],
    ['1:12.22.5-1.module_el8.4.0+2521+c668cc9f', 'nodejs:12', false],
    ['1:10.24.0-1.module_el8.4.0+1', 'nodejs:10', false],
    ['1:10.24.0-1.el8', undefined, false],
  ])('tells streams by the releases of fixes where they are not named: %s of %s', (version, module, affected) => {
    const statements = {
      'AlmaLinux:8 nodejs': [
        { ids: ['CVE-2024-0001'], ranges: [{ fixed: '1:12.22.5-1.module_el8.4.0+2521+c668cc9f' }] },
      ],
    };
    const pkg = { name: 'nodejs', version, ...(module === undefined ? {} : { module }) };
    expect(rows(pkg, statements, { id: 'almalinux', version: '8.6' }).length > 0).toBe(affected);
  });

  it.each([
    [{ binaries: ['openssl-libs'] }, true],
    [{ binaries: ['openssl-devel'] }, false],
    [{ arches: ['x86_64', 'aarch64'] }, true],
    [{ arches: ['s390x'] }, false],
  ])('are spoken of by %j: %s', (over, affected) => {
    const statements = {
      'Rocky Linux:9 openssl': [{ ids: ['CVE-2024-0001'], ranges: [{}], ...over }],
    };
    expect(rows({ source }, statements, { id: 'rocky', version: '9' }).length > 0).toBe(affected);
  });

  it('are not affected when that is said under any of their names', () => {
    const statements = {
      'Red Hat:enterprise_linux:9 openssl': [{ ids: ['CVE-2024-0001'], never: true }],
      'Red Hat:enterprise_linux:9::baseos openssl-libs': [{ ids: ['CVE-2024-0001'], ranges: [{}] }],
    };
    expect(rows({ source }, statements)).toEqual([]);
  });
});

describe('what publishers say', () => {
  const deb = { type: 'deb' as const, name: 'p', version: '1.0-1' };
  const statusOf = (...statements: object[]) =>
    matchInventory(
      inventoryOf([deb], debian),
      lookupOf({
        'Debian:12 p': statements.map((statement) => ({ ids: ['CVE-2024-0001'], ranges: [{}], ...statement })),
      }),
    ).findings.map(({ status }) => status);

  it.each([
    ['more than "affected"', [{}, { status: 'will_not_fix' }], ['will_not_fix']],
    ['less than "affected"', [{}, { status: 'under_investigation' }], ['affected']],
    ['that they do not know yet', [{ status: 'under_investigation' }], ['under_investigation']],
    ['that it is put off, and that it ends', [{ status: 'fix_deferred' }, { status: 'end_of_life' }], ['end_of_life']],
    ['not affected', [{}, { status: 'not_affected', ranges: [] }], []],
    ['will not fix, though there is a fix', [{ status: 'will_not_fix', ranges: [{ fixed: '1.0-2' }] }], ['affected']],
  ])('%s', (_, statements, expected) => {
    expect(statusOf(...statements)).toEqual(expected);
    expect(statusOf(...statements.toReversed())).toEqual(expected);
  });

  it('keeps fixes that are sold apart', () => {
    const lookup = lookupOf({
      'Ubuntu:18.04:LTS p': [{ ids: ['CVE-2024-0001'], ranges: [{}] }],
      'Ubuntu:Pro:18.04:LTS p': [
        { ids: ['CVE-2024-0001'], ranges: [{ fixed: '1.0-1ubuntu1+esm3' }], subscription: true },
      ],
    });
    const ubuntu = { id: 'ubuntu', version: '18.04' };
    const found = (version: string) => matchInventory(inventoryOf([{ ...deb, version }], ubuntu), lookup).findings;
    expect(found('1.0-1ubuntu1')).toMatchObject([{ status: 'affected' }]);
    expect(found('1.0-1ubuntu1+esm2')).toMatchObject([{ status: 'affected', subscriptionFix: '1.0-1ubuntu1+esm3' }]);
    expect(found('1.0-1ubuntu1+esm2')[0]).not.toHaveProperty('fixed');
    expect(found('1.0-1ubuntu1+esm3')).toEqual([]);
  });

  it('malicious packages are critical', () => {
    const lookup = lookupOf({ 'npm p': [{ ids: ['MAL-2024-1'], ranges: [{}], malicious: true }] });
    expect(matchInventory(npm('1.0.0'), lookup).findings).toMatchObject([
      { id: 'MAL-2024-1', malicious: true, severities: [{ source: 'malicious', severity: 'critical' }] },
    ]);
  });

  it.each([
    ['deb', 'linux-libc-dev', true],
    ['deb', 'linux-headers-6.1.0-13-amd64', true],
    ['rpm', 'kernel-headers', true],
    ['apk', 'linux-headers', true],
    ['deb', 'linux-image-6.1.0-13-amd64', false],
    ['npm', 'linux-headers', false],
  ] as const)('headers of a kernel: %s %s %s', (type, name, headers) => {
    const lookup = lookupOf(
      Object.fromEntries(
        ['Debian:12', 'Alpine:v3.20', 'Rocky Linux:9', 'npm'].map((ecosystem) => [
          `${ecosystem} ${name}`,
          [{ ids: ['CVE-2024-0001'], ranges: [{}] }],
        ]),
      ),
    );
    const known = { deb: debian, apk: alpine, rpm: { id: 'rocky', version: '9' }, npm: alpine }[type];
    const { findings } = matchInventory(inventoryOf([{ type, name, version: '1.0.0' }], known), lookup);
    expect(findings.map(({ kernelHeaders }) => kernelHeaders)).toEqual([headers || undefined]);
  });
});

describe('packages of languages', () => {
  it.each([
    ['pypi', 'Zope.Interface', '5.0', 'PyPI zope-interface', '5.1'],
    ['golang', 'stdlib', '1.22.0', 'Go stdlib', '1.22.1'],
    ['golang', 'github.com/a/b', 'v1.2.3', 'Go github.com/a/b', '1.2.4'],
    ['maven', 'org.acme:app', '1.0', 'Maven org.acme:app', '1.1'],
    ['gem', 'rack', '2.0.1', 'RubyGems rack', '2.0.2'],
    ['composer', 'Drupal/Core', '9.0.0', 'Packagist:https://packages.drupal.org/8 drupal/core', '9.0.1'],
    ['nuget', 'Newtonsoft.Json', '12.0.1', 'NuGet newtonsoft.json', '13.0.1'],
    ['generic', 'nginx', '1.20.0', 'Bitnami nginx', '1.20.1'],
    ['bitnami', 'nginx', '1.20.0-1', 'Bitnami nginx', '1.20.1'],
    ['hex', 'plug', '1.0.0', 'Hex plug', '1.0.1'],
    ['cran', 'readxl', '1.0.0', 'CRAN readxl', '1.1.0'],
  ] as const)('%s %s %s by %s', (type, name, version, key, fixed) => {
    const lookup = lookupOf({ [key]: [{ ids: ['CVE-2024-0001'], ranges: [{ fixed }] }] });
    const { findings, gaps } = matchInventory(inventoryOf([{ type, name, version }]), lookup);
    expect(gaps).toEqual([]);
    expect(findings).toMatchObject([{ id: 'CVE-2024-0001', fixed }]);
  });

  it('lie in several places, and are one', () => {
    const lookup = lookupOf({ 'npm p': [{ ids: ['CVE-2024-0001'], ranges: [{}] }] });
    const copies = ['z/p', 'a/p', 'm/p'].map((path) => ({ type: 'npm' as const, name: 'p', version: '1.0.0', path }));
    const once = { type: 'npm' as const, name: 'p', version: '2.0.0', path: 'b/p' };
    const { findings } = matchInventory(inventoryOf([...copies, once]), lookup);
    expect(findings).toMatchObject([
      { package: { path: 'a/p' }, paths: ['a/p', 'm/p', 'z/p'] },
      { installed: '2.0.0' },
    ]);
    expect(findings[1]).not.toHaveProperty('paths');
  });
});

describe('what no advisory can speak of', () => {
  it('is counted, so that silence is not taken for health', () => {
    const lookup = lookupOf({ 'Debian:12 docker-ce': [{ ids: ['CVE-2024-0001'], ranges: [{}] }] });
    const foreign = { type: 'deb' as const, name: 'docker-ce', version: '5:24', thirdParty: true as const };
    const packages = [
      foreign,
      { ...foreign, name: 'nodejs' },
      { type: 'golang' as const, name: 'example.com/app', version: '(devel)' },
    ];
    expect(matchInventory(inventoryOf(packages, debian), lookup)).toMatchObject({
      findings: [],
      missing: [],
      gaps: [
        {
          kind: 'not-covered',
          message: expect.stringMatching(/^1 package is without a version .*: example.com\/app$/),
        },
        { kind: 'not-covered', message: expect.stringMatching(/^2 packages are built by .*: docker-ce, nodejs$/) },
      ],
    });
  });
});
