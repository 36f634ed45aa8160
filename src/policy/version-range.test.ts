import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInRange, isRangeWithin, parseVersionRange, type VersionRange } from './version-range.ts';

function range(text: string, scheme: VersionRange['scheme'] = 'semver'): VersionRange {
  const parsed = parseVersionRange(text, scheme);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

describe('ranges of versions', () => {
  it.each([
    ['< 1.2.3', '1.2.2', true],
    ['< 1.2.3', '1.2.3', false],
    ['<= 1.2.3', '1.2.3', true],
    ['>= 1.0.0, < 1.2.3', '1.1.0', true],
    ['>= 1.0.0, < 1.2.3', '0.9.0', false],
    ['> 1.0.0', '1.0.0', false],
    ['= 1.0.0', '1.0.0', true],
    ['=1.0.0||>=2.0.0', '2.5.0', true],
    ['=1.0.0||>=2.0.0', '1.5.0', false],
    ['>= 1.0.0, < 1.2.3, < 1.1.0', '1.1.0', false],
    ['< 2.0.0', 'not a version', false],
  ])('%s holds %s: %s', (text, version, expected) => {
    expect(isInRange(range(text), version)).toBe(expected);
  });

  it('orders versions as the scheme does', () => {
    expect(isInRange(range('< 1.2.10-r0', 'apk'), '1.2.9-r3')).toBe(true);
    expect(isInRange(range('< 1:0.1', 'dpkg'), '9.0')).toBe(true);
    expect(isInRange(range('< 1.0', 'pep440'), '1.0rc1')).toBe(true);
  });

  it.each([
    ['', 'no comparison'],
    ['1.2.3', 'no comparison'],
    ['~> 1.2', 'no comparison'],
    ['< 1.2.3,', 'no comparison'],
    ['< not@version!', 'no version'],
    ['> 2.0.0, < 1.0.0', 'no version is in'],
    ['> 1.0.0, <= 1.0.0', 'no version is in'],
    [`< ${'1'.repeat(300)}`, 'longer than'],
    [Array.from({ length: 11 }, () => '= 1.0.0').join('||'), 'more than 10'],
  ])('%j is refused', (text, problem) => {
    expect(parseVersionRange(text, 'semver')).toEqual({ problem: expect.stringContaining(problem) });
  });

  const version = fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => `${a}.${b}.0`);
  const term = fc
    .tuple(fc.constantFrom('<', '<=', '>', '>=', '='), version)
    .map(([operator, at]) => `${operator} ${at}`);
  const text = fc
    .array(fc.array(term, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 })
    .map((parts) => parts.map((terms) => terms.join(', ')).join(' || '));

  it('what lies within another holds nothing that the other does not', () => {
    let within = 0;
    fc.assert(
      fc.property(text, text, version, (one, other, at) => {
        const [a, b] = [parseVersionRange(one, 'semver'), parseVersionRange(other, 'semver')];
        if ('problem' in a || 'problem' in b || !isRangeWithin(a, b)) return;
        within += 1;
        expect(isInRange(b, at) || !isInRange(a, at)).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(within).toBeGreaterThan(50);
  });

  it('a range lies within itself', () => {
    fc.assert(
      fc.property(text, (one) => {
        const a = parseVersionRange(one, 'semver');
        expect('problem' in a || isRangeWithin(a, a)).toBe(true);
      }),
    );
  });

  it('reads anything without failing', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (any) => void parseVersionRange(any, 'dpkg')));
  });
});
