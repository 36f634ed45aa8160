import { describe, expect, it } from 'vitest';
import { type Distribution, PACKAGE_TYPES, SYSTEM_PACKAGE_TYPES } from '../../model/inventory.ts';
import {
  distributionEcosystem,
  ecosystemOf,
  ecosystemsOf,
  releaseKey,
  schemeOf,
  systemTypeOf,
  typesOf,
} from './ecosystem.ts';

const KNOWN = [
  'Red Hat:enterprise_linux:9::appstream',
  'Red Hat:enterprise_linux:9::baseos',
  'Red Hat:enterprise_linux:10.1',
  'Red Hat:enterprise_linux:10.0::crb',
  'Red Hat:enterprise_linux:1',
  'Red Hat:enterprise_linux_eus:9.2::baseos',
  'Red Hat:rhel_eus:9.2::appstream',
  'SUSE:Linux Enterprise Module for Basesystem 15 SP5',
  'SUSE:Linux Enterprise Module for Basesystem 15 SP4',
  'SUSE:Linux Enterprise Server 15 SP5-LTSS',
  'Packagist:https://packages.drupal.org/8',
  'Ubuntu:Pro:22.04:LTS',
];
const advisories = { ecosystemsUnder: (prefix: string) => KNOWN.filter((name) => name.startsWith(prefix)) };

function distribution(over: Partial<Distribution>): Distribution {
  return { id: 'none', idLike: [], rolling: false, ...over };
}

describe('ecosystems of a distribution', () => {
  it.each<[Partial<Distribution>, 'apk' | 'deb' | 'rpm', readonly string[]]>([
    [{ id: 'alpine', version: '3.20.3' }, 'apk', ['Alpine:v3.20']],
    [{ id: 'wolfi', version: '20230201', rolling: true }, 'apk', ['Wolfi']],
    [{ id: 'chainguard' }, 'apk', ['Chainguard']],
    [{ id: 'minimos' }, 'apk', ['MinimOS']],
    [{ id: 'alpaquita', version: 'stream' }, 'apk', ['Alpaquita:stream']],
    [{ id: 'bellsoft-hardened-containers', version: '23' }, 'apk', ['BellSoft Hardened Containers:23']],
    [{ id: 'debian', version: '12' }, 'deb', ['Debian:12']],
    [{ id: 'raspbian', version: '11', idLike: ['debian'] }, 'deb', ['Debian:11']],
    [{ id: 'kali', version: '2024.1', idLike: ['debian'] }, 'deb', []],
    [{ id: 'ubuntu', version: '22.04' }, 'deb', ['Ubuntu:22.04:LTS']],
    [{ id: 'ubuntu', version: '23.10' }, 'deb', ['Ubuntu:23.10']],
    [{ id: 'ubuntu', version: '21.04' }, 'deb', ['Ubuntu:21.04']],
    [
      { id: 'linuxmint', version: '21.3', idLike: ['ubuntu', 'debian'], codename: 'virginia' },
      'deb',
      ['Ubuntu:22.04:LTS'],
    ],
    [{ id: 'linuxmint', version: '6', idLike: ['debian'], codename: 'faye' }, 'deb', []],
    [{ id: 'pop', version: '22.04', idLike: ['ubuntu', 'debian'], codename: 'jammy' }, 'deb', ['Ubuntu:22.04:LTS']],
    [{ id: 'other', version: '1', idLike: ['ubuntu'], codename: 'own' }, 'deb', []],
    [
      { id: 'rhel', version: '9.4' },
      'rpm',
      ['Red Hat:enterprise_linux:9', 'Red Hat:enterprise_linux:9::appstream', 'Red Hat:enterprise_linux:9::baseos'],
    ],
    [
      { id: 'rhel', version: '10.0' },
      'rpm',
      ['Red Hat:enterprise_linux:10', 'Red Hat:enterprise_linux:10.1', 'Red Hat:enterprise_linux:10.0::crb'],
    ],
    [{ id: 'centos', version: '7' }, 'rpm', ['Red Hat:enterprise_linux:7']],
    [{ id: 'almalinux', version: '9.3', idLike: ['rhel'] }, 'rpm', ['AlmaLinux:9']],
    [{ id: 'rocky', version: '8.9', idLike: ['rhel'] }, 'rpm', ['Rocky Linux:8']],
    [{ id: 'ol', version: '9.3', idLike: ['fedora'] }, 'rpm', []],
    [{ id: 'amzn', version: '2023', idLike: ['fedora'] }, 'rpm', []],
    [{ id: 'azurelinux', version: '3.0' }, 'rpm', []],
    [{ id: 'fedora', version: '40' }, 'rpm', []],
    [{ id: 'photon', version: '5.0' }, 'rpm', ['Photon OS:5.0']],
    [{ id: 'mageia', version: '9' }, 'rpm', ['Mageia:9']],
    [
      { id: 'openeuler', version: '22.03', prettyName: 'openEuler 22.03 (LTS-SP1)' },
      'rpm',
      ['openEuler:22.03-LTS-SP1'],
    ],
    [{ id: 'openeuler', version: '23.09', prettyName: 'openEuler 23.09' }, 'rpm', ['openEuler:23.09']],
    [
      { id: 'sles', version: '15.5', prettyName: 'SUSE Linux Enterprise Server 15 SP5' },
      'rpm',
      ['SUSE:Linux Enterprise Server 15 SP5', 'SUSE:Linux Enterprise Module for Basesystem 15 SP5'],
    ],
    [{ id: 'opensuse-leap', version: '15.5', prettyName: 'openSUSE Leap 15.5' }, 'rpm', ['openSUSE:Leap 15.5']],
    [{ id: 'opensuse-tumbleweed', prettyName: 'openSUSE Tumbleweed', rolling: true }, 'rpm', ['openSUSE:Tumbleweed']],
  ])('%j', (over, type, expected) => {
    const known = distribution(over);
    const ecosystems = ecosystemsOf({ type, version: '1' }, known, advisories);
    expect(ecosystems).toEqual(expected);
    // Stored inventories are found again by what all their ecosystems have in common.
    const key = releaseKey(distributionEcosystem(known) ?? '');
    expect(ecosystems.map(releaseKey)).toEqual(ecosystems.map(() => key));
    expect(ecosystems.every((ecosystem) => schemeOf(ecosystem) !== undefined)).toBe(true);
    expect(ecosystems.map(systemTypeOf)).toEqual(ecosystems.map(() => type));
  });

  it.each([
    ['3.0.2-0ubuntu1.10', ['Ubuntu:22.04:LTS']],
    ['3.0.2-0ubuntu1.10+esm2', ['Ubuntu:22.04:LTS', 'Ubuntu:Pro:22.04:LTS']],
    ['1.0-1~esm1', ['Ubuntu:22.04:LTS', 'Ubuntu:Pro:22.04:LTS']],
  ])('Ubuntu Pro only for what comes from it: %s', (version, expected) => {
    const known = distribution({ id: 'ubuntu', version: '22.04' });
    const ecosystems = ecosystemsOf({ type: 'deb', version }, known, advisories);
    expect(ecosystems).toEqual(expected);
    expect(new Set(ecosystems.map(releaseKey))).toEqual(new Set(['Ubuntu:22.04:LTS']));
  });

  it.each(['deb', 'rpm', 'alpm'] as const)('no %s package belongs to Alpine', (type) => {
    expect(ecosystemOf({ type }, distribution({ id: 'alpine', version: '3.20' }))).toBeUndefined();
  });
});

describe('ecosystems of languages', () => {
  it('has one with a known order of versions for every type but conda', () => {
    const languages = PACKAGE_TYPES.filter((type) => !SYSTEM_PACKAGE_TYPES.has(type));
    const without = languages.filter((type) => schemeOf(ecosystemOf({ type }, undefined) ?? '') === undefined);
    expect(without).toEqual(['conda']);
    for (const type of languages)
      if (type !== 'conda') expect(typesOf(ecosystemOf({ type }, undefined) ?? '')).toContain(type);
  });

  it('takes in the other repositories of one', () => {
    expect(ecosystemsOf({ type: 'composer', version: '1' }, undefined, advisories)).toEqual([
      'Packagist',
      'Packagist:https://packages.drupal.org/8',
    ]);
  });

  it('knows no packages of languages under a distribution', () => expect(typesOf('Debian:12')).toEqual([]));
});
