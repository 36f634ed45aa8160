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
    [{ type: 'npm', name: '@scope/name', version: '1.0.0-rc.1+x' }, alpine, 'pkg:npm/%40scope/name@1.0.0-rc.1%2Bx'],
    [{ type: 'npm', name: "a!'()*b", version: 'v 1?#' }, undefined, 'pkg:npm/a%21%27%28%29%2Ab@v%201%3F%23'],
  ] as const)('%o', (pkg, distribution, expected) => {
    expect(packageUrl(pkg, distribution)).toBe(expected);
  });
});
