import { describe, expect, it } from 'vitest';
import { packageUrl } from './purl.ts';

const alpine = { id: 'alpine', version: '3.20.3', idLike: [], rolling: false };

describe('packageUrl', () => {
  it.each([
    [
      { type: 'apk', name: 'busybox', version: '1.36.1-r29', arch: 'x86_64' },
      alpine,
      'pkg:apk/alpine/busybox@1.36.1-r29?arch=x86_64&distro=alpine-3.20.3',
    ],
    [
      { type: 'apk', name: 'libstdc++', version: '13.2.1_git20240309-r0' },
      undefined,
      'pkg:apk/alpine/libstdc%2B%2B@13.2.1_git20240309-r0',
    ],
    [
      { type: 'deb', name: 'tzdata', version: '1:2.0~rc1+b2', arch: 'all' },
      { id: 'debian', version: '12', idLike: [], rolling: false },
      'pkg:deb/debian/tzdata@1:2.0~rc1%2Bb2?arch=all&distro=debian-12',
    ],
    [
      { type: 'rpm', name: 'openssl-libs', version: '1:3.0.7-24.el9', arch: 'x86_64' },
      { id: 'rhel', version: '9.3', idLike: ['fedora'], rolling: false },
      'pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?arch=x86_64&distro=rhel-9.3&epoch=1',
    ],
    [
      { type: 'rpm', name: 'nodejs', version: '1:12.1-1.el8', module: 'nodejs:12' },
      { id: 'almalinux', version: '8.4', idLike: [], rolling: false },
      'pkg:rpm/almalinux/nodejs@12.1-1.el8?distro=almalinux-8.4&epoch=1&rpmmod=nodejs:12',
    ],
    [
      { type: 'rpm', name: 'bash', version: '4.4-1' },
      { id: 'opensuse-leap', version: '15.6', idLike: [], rolling: false },
      'pkg:rpm/opensuse/bash@4.4-1?distro=opensuse-leap-15.6',
    ],
    [
      { type: 'alpm', name: 'Gmp', version: '6.2.1-2', arch: 'x86_64' },
      { id: 'arch', idLike: [], rolling: true },
      'pkg:alpm/arch/gmp@6.2.1-2?arch=x86_64',
    ],
    [{ type: 'npm', name: '@scope/name', version: '1.0.0-rc.1+x' }, alpine, 'pkg:npm/%40scope/name@1.0.0-rc.1%2Bx'],
    [{ type: 'npm', name: "a!'()*b", version: 'v 1?#' }, undefined, 'pkg:npm/a%21%27%28%29%2Ab@v%201%3F%23'],
  ] as const)('%o', (pkg, distribution, expected) => {
    expect(packageUrl(pkg, distribution)).toBe(expected);
  });
});
