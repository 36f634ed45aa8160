import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { exceptionsOf } from './exception-index.ts';
import { concernsFinding, concernsImage, endedByFix, isInForce, lastsLongest } from './exception-match.ts';
import { aFinding, anException, DAY, NOW, SUBJECT } from './judging.testing.ts';

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
    ['a range it is in', { package: { name: 'libssl3', type: 'apk' as const }, versions: '< 1.0-r1' }, true],
    ['a range it is not in', { package: { name: 'libssl3', type: 'apk' as const }, versions: '< 1.0-r0' }, false],
    ['a range that cannot be read', { package: { name: 'libssl3', type: 'apk' as const }, versions: 'some' }, false],
    ['a range without an order', { package: { name: 'libssl3' }, versions: '< 1.0-r1' }, false],
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
    [{ platform: 'linux/arm64' }, true],
    [{ platform: 'linux/arm' }, false],
    [{ platform: 'linux/amd64' }, false],
    [{ everywhere: true as const, repository: 'front/**' }, true],
    [{ everywhere: true as const, repository: 'team/app' }, false],
  ])('limited to %j', (over, expected) => {
    const image = { repository: 'front/team/app', digest: SUBJECT, platform: 'linux/arm64/v8' };
    expect(concernsImage(anException(over), image)).toBe(expected);
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

  it('concern nothing limited to a platform where that is not known', () => {
    expect(concernsImage(anException({ platform: 'linux/arm64' }), { repository: 'front/a', digest: SUBJECT })).toBe(
      false,
    );
  });

  it('until fixed end days after a fix is known, never later than their date', () => {
    const exception = anException({ fixDays: 2, until: NOW + 9 * DAY });
    expect([undefined, NOW, NOW + 8 * DAY].map((seen) => endedByFix(exception, seen).until)).toEqual([
      NOW + 9 * DAY,
      NOW + 2 * DAY,
      NOW + 9 * DAY,
    ]);
  });

  it('are found by any id of a finding among ten thousand others, each once', () => {
    const many = Array.from({ length: 10_000 }, (_, at) =>
      anException({ id: `e${at}`, vulnerability: `CVE-2000-${at}` }),
    );
    const named = [
      anException({ id: 'own', vulnerability: 'cve-2024-0001' }),
      anException({ id: 'alias', vulnerability: 'GHSA-xxxx-yyyy-zzzz' }),
      anException({ id: 'elsewhere', vulnerability: 'CVE-2024-0001', repository: 'other' }),
    ];
    const found = exceptionsOf([...many, ...named], { repository: 'front/team/app', digest: SUBJECT });
    expect(found.aboutFinding(finding).map(({ id }) => id)).toEqual(['own', 'alias']);
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
