import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains } from '../../matcher/ranges.ts';
import { compareVersions } from '../../versions/index.ts';
import { rangesOfEvents } from './ranges.ts';

describe('ranges of OSV events', () => {
  it.each([
    ['a fix', [{ introduced: '0' }, { fixed: '2' }], [{ fixed: '2' }]],
    ['no end', [{ introduced: '1.0' }], [{ introduced: '1.0' }]],
    ['an inclusive end', [{ introduced: '0' }, { last_affected: '1' }], [{ lastAffected: '1' }]],
    [
      'several branches',
      [{ introduced: '1.0' }, { fixed: '1.5' }, { introduced: '2.0' }, { fixed: '2.1' }],
      [
        { introduced: '1.0', fixed: '1.5' },
        { introduced: '2.0', fixed: '2.1' },
      ],
    ],
    [
      'events out of order',
      [{ fixed: '2.1' }, { fixed: '1.5' }, { introduced: '2.0' }, { introduced: '0' }],
      [{ fixed: '1.5' }, { introduced: '2.0', fixed: '2.1' }],
    ],
    ['both in one event', [{ introduced: '0', fixed: '3' }], [{ fixed: '3' }]],
    ['a limit, which says nothing about versions', [{ introduced: '0' }, { limit: '*' }], [{}]],
  ])('reads %s', (_, events, ranges) => {
    expect(rangesOfEvents(events, 'semver')).toEqual({ ranges, problems: [] });
  });

  it.each([
    ['inverted', [{ introduced: '5.0' }, { fixed: '3.0' }], 'empty-range'],
    ['empty', [{ introduced: '5.0' }, { fixed: '5.0' }], 'empty-range'],
    ['fixed since ever', [{ introduced: '0' }, { fixed: '0' }], 'empty-range'],
    ['with a version that is none', [{ introduced: '0' }, { fixed: 'soon' }], 'invalid-version'],
  ])('takes a range that is %s for not affected, and says so', (_, events, problem) => {
    const outcome = rangesOfEvents(events, 'semver');
    expect(outcome.ranges).toEqual([]);
    expect(outcome.problems.map(([kind]) => kind)).toEqual([problem]);
  });

  it('reads one interval without knowing the order, but not several', () => {
    expect(rangesOfEvents([{ fixed: 'b' }, { introduced: 'a' }], undefined).ranges).toEqual([
      { introduced: 'a', fixed: 'b' },
    ]);
    const two = rangesOfEvents([{ introduced: 'a' }, { introduced: 'c' }, { fixed: 'b' }, { fixed: 'd' }], undefined);
    expect(two).toMatchObject({ ranges: [], problems: [['unordered-events', expect.any(String)]] });
  });

  it('agrees with the evaluation of the OSV schema on sorted events', () => {
    const version = fc.nat(30).map((n) => `${n + 1}.0.0`);
    fc.assert(
      fc.property(fc.uniqueArray(version, { maxLength: 8 }), version, fc.boolean(), (versions, asked, inclusive) => {
        const sorted = versions.sort((a, b) => compareVersions('semver', a, b) ?? 0);
        const events = sorted.map((at, i) =>
          i % 2 === 0 ? { introduced: at } : inclusive ? { last_affected: at } : { fixed: at },
        );
        let expected = false;
        for (const event of events) {
          const order = compareVersions('semver', asked, Object.values(event)[0] ?? '') ?? 0;
          if ('introduced' in event && order >= 0) expected = true;
          if ('fixed' in event && order >= 0) expected = false;
          if ('last_affected' in event && order > 0) expected = false;
        }
        const { ranges } = rangesOfEvents(events, 'semver');
        expect(ranges.some((range) => contains('semver', range, asked))).toBe(expected);
      }),
    );
  });
});
