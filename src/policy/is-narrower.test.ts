import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { concernsFinding, concernsImage, endedByFix, isInForce } from './exception-match.ts';
import type { GrantedException } from './exceptions.ts';
import { isNarrower } from './is-narrower.ts';
import { aFinding, anException, DAY, NOW, SUBJECT } from './judging.testing.ts';

const other = digestOf('another');
const versions = (text: string) => ({ package: { name: 'openssl', type: 'apk' as const }, versions: text });

describe('the order of narrowness', () => {
  it.each<[string, Partial<GrantedException>, Partial<GrantedException>, boolean]>([
    ['the same', {}, {}, true],
    ['earlier', { until: NOW }, { until: NOW + DAY }, true],
    ['later', { until: NOW + DAY }, { until: NOW }, false],
    ['another vulnerability', { vulnerability: 'CVE-1' }, { vulnerability: 'CVE-2' }, false],
    ['one package of all', { package: { name: 'openssl' } }, {}, true],
    ['all packages of one', {}, { package: { name: 'openssl' } }, false],
    ['a package of one type', { package: { name: 'a', type: 'apk' } }, { package: { name: 'a' } }, true],
    ['a version of a range', versions('= 1.0-r0'), versions('< 1.1-r0'), true],
    ['a range beyond a range', versions('< 1.2-r0'), versions('< 1.1-r0'), false],
    ['a repository of a glob', { repository: 'team/app' }, { repository: 'team/*' }, true],
    ['a wider glob', { repository: '**' }, { repository: 'team/*' }, false],
    ['one image of all', { digest: SUBJECT }, {}, true],
    ['another image', { digest: SUBJECT }, { digest: other }, false],
    ['a variant of a platform', { platform: 'linux/arm64/v8' }, { platform: 'linux/arm64' }, true],
    ['a platform of a variant', { platform: 'linux/arm64' }, { platform: 'linux/arm64/v8' }, false],
    ['everywhere for one project', { everywhere: true }, {}, false],
    ['sooner after a fix', { fixDays: 3 }, { fixDays: 7 }, true],
    ['whether fixed or not', {}, { fixDays: 7 }, false],
    ['until fixed', { fixDays: 7 }, {}, true],
  ])('%s', (_name, a, b, expected) => {
    expect(isNarrower(anException(a), anException(b))).toBe(expected);
  });

  const maybe = <Value>(...values: Value[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const exception: fc.Arbitrary<GrantedException> = fc
    .record({
      vulnerability: fc.constantFrom('CVE-2024-0001', 'cve-2024-0001', 'CVE-2024-0002'),
      package: maybe<NonNullable<GrantedException['package']>>(
        { name: 'openssl' },
        { name: 'openssl', type: 'apk' },
        { name: 'zlib' },
      ),
      versions: maybe('< 1.1-r0', '= 1.0-r0', '>= 0.9-r0, < 2-r0', '> 1.0-r0'),
      repository: maybe('**', 'team/*', 'team/app', 'team/**', 'other'),
      digest: maybe<string>(SUBJECT, other),
      platform: maybe('linux/amd64', 'linux/arm64', 'linux/arm64/v8'),
      fixDays: maybe(0, 5, 9),
      until: fc.integer({ min: 1, max: 20 }).map((days) => NOW + days * DAY),
    })
    .map(({ package: pkg, versions: range, ...rest }) => {
      const typed = range !== undefined && pkg !== undefined ? { ...pkg, type: 'apk' as const } : pkg;
      const given = { ...rest, package: typed, versions: typed ? range : undefined };
      const defined = Object.entries(given).filter(([, value]) => value !== undefined);
      return anException(Object.fromEntries(defined) as Partial<GrantedException>);
    });
  const situation = fc.record({
    finding: fc
      .record({
        id: fc.constantFrom('CVE-2024-0001', 'CVE-2024-0002'),
        name: fc.constantFrom('openssl', 'zlib'),
        installed: fc.constantFrom('1.0-r0', '1.05-r0', '0.8-r0'),
      })
      .map((over) => aFinding(over)),
    image: fc.record({
      repository: fc.constantFrom('front/team/app', 'front/other', 'front/team/a/b'),
      digest: fc.constantFrom(SUBJECT, other),
      platform: maybe('linux/amd64', 'linux/arm64', 'linux/arm64/v8'),
    }),
    now: fc.integer({ min: 0, max: 20 }).map((days) => NOW + days * DAY),
    fixSeen: maybe(NOW, NOW + 3 * DAY),
  });

  it('never lets what is narrower concern anything, or at any time, that the wider one does not', () => {
    let compared = 0;
    // Mostly what differs in a field or two: of any two hardly one is within the other.
    const near = fc
      .tuple(
        exception,
        exception,
        fc.subarray(['package', 'versions', 'repository', 'digest', 'platform', 'fixDays', 'until'] as const),
      )
      .map(([wide, one, names]) => {
        const taken = names.filter((name) => one[name] !== undefined).map((name) => [name, one[name]]);
        return [{ ...wide, ...(Object.fromEntries(taken) as Partial<GrantedException>) }, wide] as const;
      });
    fc.assert(
      fc.property(near, fc.array(situation, { minLength: 20, maxLength: 20 }), ([a, b], situations) => {
        if (!isNarrower(a, b)) return;
        for (const { finding, image, now, fixSeen } of situations) {
          const counts = (one: GrantedException) =>
            concernsImage(one, image) && concernsFinding(one, finding) && isInForce(endedByFix(one, fixSeen), now);
          if (counts(a)) compared += 1;
          expect(counts(b) || !counts(a)).toBe(true);
        }
      }),
      { numRuns: 10_000 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it('is an order: each is within itself, and what is within what is within is within', () => {
    fc.assert(
      fc.property(exception, exception, exception, (a, b, c) => {
        expect(isNarrower(a, a)).toBe(true);
        if (isNarrower(a, b) && isNarrower(b, c)) expect(isNarrower(a, c)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
});
