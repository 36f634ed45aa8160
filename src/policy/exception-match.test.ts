import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { concernsFinding, concernsImage, isInForce, lastsLongest } from './exception-match.ts';
import { aFinding, anException, NOW, SUBJECT } from './judging.testing.ts';

const finding = aFinding({
  aliases: ['GHSA-xxxx-yyyy-zzzz'],
  package: { ...aFinding().package, name: 'libssl3', source: { name: 'openssl', version: '1.0-r0' } },
});

describe('exceptions', () => {
  it.each([
    ['the canonical id', { vulnerability: 'CVE-2024-0001' }, true],
    ['an alias, whatever its case', { vulnerability: 'ghsa-XXXX-yyyy-zzzz' }, true],
    ['the id of the advisory record', { vulnerability: 'ALPINE-CVE-2024-0001' }, true],
    ['another vulnerability', { vulnerability: 'CVE-2024-00011' }, false],
    ['the package', { package: { name: 'libssl3' } }, true],
    ['its source package', { package: { name: 'openssl', type: 'apk' as const } }, true],
    ['a package of that name of another kind', { package: { name: 'openssl', type: 'npm' as const } }, false],
    ['another package', { package: { name: 'zlib' } }, false],
    ['the installed version', { version: '1.0-r0' }, true],
    ['another version', { version: '1.0-r1' }, false],
  ])('limited to %s', (_name, over, expected) => {
    expect(concernsFinding(anException(over), finding)).toBe(expected);
  });

  it.each([
    [{}, true],
    [{ repository: 'team/app' }, true],
    [{ repository: 'team/*' }, true],
    [{ repository: '*' }, false],
    [{ repository: 'front/team/app' }, false],
    [{ digest: SUBJECT }, true],
    [{ digest: digestOf('another') }, false],
    [{ repository: 'other', digest: SUBJECT }, false],
  ])('limited to %j', (over, expected) => {
    expect(concernsImage(anException(over), 'front/team/app', SUBJECT)).toBe(expected);
  });

  it('are in force in [from, until)', () => {
    const exception = anException({ from: NOW, until: NOW + 5 });
    expect([NOW - 1, NOW, NOW + 4, NOW + 5].map((now) => isInForce(exception, now))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('are named by the one that lasts longest', () => {
    const list = [
      anException({ id: 'b', until: NOW + 9 }),
      anException({ id: 'a', until: NOW + 9 }),
      anException({ id: 'late', from: NOW + 1, until: NOW + 99 }),
    ];
    expect(lastsLongest(list, NOW)?.id).toBe('a');
    expect(lastsLongest(list, NOW + 1)?.id).toBe('late');
    expect(lastsLongest(list, NOW + 99)).toBeUndefined();
  });
});
