import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AffectedRange } from '../../matcher/lookup.ts';
import { contains } from '../../matcher/ranges.ts';
import { compareVersions, type VersionScheme } from '../../versions/index.ts';
import { isCovered } from './covered.ts';
import { parseOsvRecord } from './read.ts';

const scheme = fc.constantFrom<VersionScheme>('dpkg', 'apk', 'semver');
const version = fc
  .tuple(fc.nat(3), fc.nat(3), fc.constantFrom('', '-1', '-r1', '-rc.1', '~a', '+b', ' bad'))
  .map(([major, minor, end]) => `${major}.${minor}.0${end}`);
const range: fc.Arbitrary<AffectedRange> = fc.record(
  { introduced: version, fixed: version, lastAffected: version },
  { requiredKeys: [], noNullPrototype: true },
);

describe('versions covered by ranges', () => {
  it('are those that a range contains', () =>
    fc.assert(
      fc.property(scheme, fc.array(range, { maxLength: 3 }), version, (of, ranges, asked) => {
        expect(isCovered(of, ranges, asked)).toBe(ranges.some((one) => contains(of, one, asked)));
      }),
      { numRuns: 2000 },
    ));

  it('can be left out of the list without a change of what is affected', () => {
    fc.assert(
      fc.property(
        fc.array(version, { maxLength: 8 }),
        fc.uniqueArray(version, { maxLength: 4 }),
        version,
        (listed, bounds, asked) => {
          const valid = bounds.filter((bound) => compareVersions('dpkg', bound, bound) !== undefined);
          const events = valid
            .sort((a, b) => compareVersions('dpkg', a, b) ?? 0)
            .map((bound, i) => (i % 2 === 0 ? { introduced: bound } : { fixed: bound }));
          const entry = { package: { ecosystem: 'Debian:12', name: 'p' }, ranges: [{ type: 'ECOSYSTEM', events }] };
          const text = JSON.stringify({ id: 'X-1', affected: [{ ...entry, versions: listed }] });
          const [fact] = parseOsvRecord(text, 'Debian', 'x').facts.filter(({ kind }) => kind === 'statement');
          const { ranges = [], versions = [] } = fact?.kind === 'statement' ? fact.statement : {};
          const all = parseOsvRecord(JSON.stringify({ id: 'X-1', affected: [entry] }), 'Debian', 'x').facts;
          const [bare] = all.filter(({ kind }) => kind === 'statement');
          const full = bare?.kind === 'statement' ? bare.statement.ranges : [];
          expect(affected(ranges, versions, asked)).toBe(affected(full, listed, asked));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function affected(ranges: readonly AffectedRange[], versions: readonly string[], asked: string): boolean {
  return (
    ranges.some((one) => contains('dpkg', one, asked)) ||
    versions.some((listed) => listed === asked || compareVersions('dpkg', listed, asked) === 0)
  );
}
