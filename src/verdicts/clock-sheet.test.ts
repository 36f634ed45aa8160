import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clocksOfSheet, sheetOf } from './clock-sheet.ts';

const clocks = fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), fc.nat()), { selector: ([key]) => key });

describe('clock sheets', () => {
  it('give back what was written, whatever the names', () => {
    fc.assert(
      fc.property(clocks, (some) => {
        expect(clocksOfSheet(sheetOf(some))).toEqual(new Map(some));
      }),
    );
  });

  it('grow at the end, and of a clock started twice the earliest counts', () => {
    fc.assert(
      fc.property(clocks, clocks, (first, second) => {
        const expected = new Map(first);
        for (const [key, moment] of second) expected.set(key, Math.min(moment, expected.get(key) ?? moment));
        expect(clocksOfSheet(sheetOf(first) + sheetOf(second))).toEqual(expected);
      }),
    );
  });

  it('are empty without clocks', () => {
    expect([sheetOf([]), clocksOfSheet('').size]).toEqual(['', 0]);
  });
});
