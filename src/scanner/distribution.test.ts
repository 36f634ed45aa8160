import { describe, expect, it } from 'vitest';
import { distributionOf, parseOsRelease } from './distribution.ts';

const debianSid =
  'PRETTY_NAME="Debian GNU/Linux trixie/sid"\nNAME="Debian GNU/Linux"\nVERSION_CODENAME=trixie\nID=debian\n';

describe('distributionOf', () => {
  it.each([
    [
      'Alpine',
      { osRelease: 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n' },
      { id: 'alpine', version: '3.20.3', prettyName: 'Alpine Linux v3.20', rolling: false },
    ],
    [
      'Alpine edge, which calls itself an alpha of the next release',
      { osRelease: 'ID=alpine\nVERSION_ID=3.21.0_alpha20240923\nPRETTY_NAME="Alpine Linux edge"\n' },
      { id: 'alpine', version: '3.21.0_alpha20240923', rolling: true },
    ],
    ['Alpine without os-release', { alpineRelease: '3.19.1\n' }, { id: 'alpine', version: '3.19.1', rolling: false }],
    [
      'Debian',
      { osRelease: 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n', debianVersion: '12.5\n' },
      { id: 'debian', version: '12', codename: 'bookworm', rolling: false },
    ],
    [
      'Debian with a codename only',
      { osRelease: 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n' },
      { id: 'debian', version: '11', codename: 'bullseye', rolling: false },
    ],
    [
      'Debian testing, which has no VERSION_ID',
      { osRelease: debianSid, debianVersion: 'trixie/sid\n' },
      { id: 'debian', version: '13', codename: 'trixie', rolling: true },
    ],
    ['Debian testing by os-release alone', { osRelease: debianSid }, { id: 'debian', version: '13', rolling: true }],
    ['Debian without os-release', { debianVersion: '9.13\n' }, { id: 'debian', version: '9', rolling: false }],
    [
      'a derivative',
      { osRelease: 'ID=\'linuxmint\'\nID_LIKE="ubuntu debian"\nVERSION_ID="21.3"\n' },
      { id: 'linuxmint', version: '21.3', idLike: ['ubuntu', 'debian'], rolling: false },
    ],
    [
      'a rolling derivative of Debian',
      { osRelease: 'ID=kali\nVERSION_ID="2026.3"\nID_LIKE=debian\nVERSION_CODENAME=kali-rolling\n' },
      { id: 'kali', idLike: ['debian'], rolling: true },
    ],
    [
      'Fedora in the making',
      { osRelease: 'ID=fedora\nVERSION_ID=45\nREDHAT_BUGZILLA_PRODUCT_VERSION=rawhide\n' },
      { id: 'fedora', version: '45', rolling: true },
    ],
    [
      'openSUSE Leap, by its pretty name',
      {
        osRelease: 'ID="opensuse-leap"\nVERSION_ID="15.6"\nID_LIKE="suse opensuse"\nPRETTY_NAME="openSUSE Leap 15.6"\n',
      },
      { id: 'opensuse-leap', version: '15.6', prettyName: 'openSUSE Leap 15.6', rolling: false },
    ],
    ['Wolfi', { osRelease: 'ID=wolfi\nVERSION_ID="20230201"\n' }, { id: 'wolfi', rolling: true }],
    [
      'CentOS without os-release',
      { releaseLine: 'CentOS release 6.10 (Final)\n' },
      { id: 'centos', version: '6.10', idLike: ['rhel', 'fedora'], prettyName: 'CentOS release 6.10 (Final)' },
    ],
    [
      'Red Hat without os-release',
      { releaseLine: 'Red Hat Enterprise Linux Server release 6.9 (Santiago)' },
      { id: 'rhel', version: '6.9' },
    ],
    ['Oracle without os-release', { releaseLine: 'Oracle Linux Server release 6.10\n' }, { id: 'ol', version: '6.10' }],
    ['the first Amazon Linux', { releaseLine: 'Amazon Linux AMI release 2018.03' }, { id: 'amzn', version: '2018.03' }],
    ['Rawhide without os-release', { releaseLine: 'Fedora release Rawhide' }, { id: 'fedora', idLike: [] }],
    [
      'SUSE without os-release',
      { suseRelease: 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n' },
      { id: 'sles', version: '11.4', idLike: ['suse'] },
    ],
    [
      'SUSE without a service pack',
      { suseRelease: 'SUSE Linux Enterprise Server 12 (x86_64)\nVERSION = 12\nPATCHLEVEL = 0\n' },
      { id: 'sles', version: '12' },
    ],
    [
      'openSUSE without os-release',
      { suseRelease: 'openSUSE 13.1 (x86_64)\nVERSION = 13.1\n' },
      { id: 'opensuse', version: '13.1' },
    ],
    [
      'Ubuntu without os-release, though it names the Debian it was made from',
      {
        lsbRelease:
          'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\nDISTRIB_DESCRIPTION="Ubuntu 14.04.6 LTS"\n',
        debianVersion: 'jessie/sid\n',
      },
      { id: 'ubuntu', version: '14.04', codename: 'trusty', prettyName: 'Ubuntu 14.04.6 LTS', rolling: false },
    ],
    [
      'an lsb-release that names nothing',
      { lsbRelease: 'LSB_VERSION=1.4\n', debianVersion: '9.13\n' },
      { id: 'debian' },
    ],
    ['Arch Linux without os-release', { archRelease: '' }, { id: 'arch', rolling: true }],
    ['an os-release that names nothing', { osRelease: 'garbage\n\0\n', alpineRelease: '3.1.0' }, { id: 'alpine' }],
  ])('recognises %s', (_what, texts, expected) => {
    expect(distributionOf(texts)).toMatchObject(expected);
  });

  it('says nothing when nothing says so', () => {
    expect(distributionOf({})).toBeUndefined();
    expect(distributionOf({ releaseLine: 'My Linux release 1', suseRelease: '\0', lsbRelease: '' })).toBeUndefined();
  });
});

describe('parseOsRelease', () => {
  it('takes quotes and backslashes as a shell does, and the last of two values', () => {
    const text = [
      '# comment',
      'A="say \\"hi\\" \\$5 \\`x\\` \\\\"',
      "B='single $x'",
      'C=bare',
      '  D=indented',
      'E=first',
      'E=second',
      'lower=case',
      'no assignment',
    ].join('\r\n');
    expect(Object.fromEntries(parseOsRelease(text))).toEqual({
      A: 'say "hi" $5 `x` \\',
      B: 'single $x',
      C: 'bare',
      D: 'indented',
      E: 'second',
    });
  });
});
