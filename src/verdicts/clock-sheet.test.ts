import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Clock, clockOfAll, clockText, earlierClock } from '../policy/clocks.ts';
import { marksOf } from './clock-marks.ts';
import { clocksOfSheet, sheetOf } from './clock-sheet.ts';

const moment = fc.nat(100);
const clock: fc.Arbitrary<Clock> = fc
  .record(
    {
      firstSeen: moment,
      fix: moment,
      kev: moment,
      high: moment,
      scores: fc.array(score(), { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ['firstSeen'] },
  )
  .map((some) => ({
    ...some,
    ...(some.scores ? { scores: [...new Map(some.scores.map((one) => [JSON.stringify(one), one])).values()] } : {}),
  }));
const clocks = fc.uniqueArray(
  fc.tuple(
    fc.string({ unit: 'binary' }).map((key) => `CVE ${key}`),
    clock,
  ),
  {
    selector: ([key]) => key,
  },
);
const written = (some: readonly (readonly [string, Clock])[]) => sheetOf(some.map(([key, one]) => [key, marksOf(one)]));
const texts = (some: Iterable<readonly [string, Clock]>) =>
  [...some].map(([key, one]) => `${key} ${clockText(one)}`).sort();

function score() {
  return fc.record({ threshold: fc.constantFrom(0.5, 0.05, 1e-7), above: fc.boolean(), at: moment });
}

describe('clock sheets', () => {
  it('give back what was written, whatever the names', () => {
    fc.assert(
      fc.property(clocks, (some) => {
        expect(texts(clocksOfSheet(written(some)))).toEqual(texts(some));
      }),
    );
  });

  it('grow at the end, and of a clock started twice the earliest counts', () => {
    fc.assert(
      fc.property(clocks, clocks, (first, second) => {
        const expected = new Map(first);
        for (const [key, one] of second) expected.set(key, earlierClock(expected.get(key), one) ?? one);
        expect(texts(clocksOfSheet(written(first) + written(second)))).toEqual(texts(expected));
      }),
    );
  });

  it('that do not say what began mean all of it', () => {
    expect(clocksOfSheet('[7,"CVE-1 apk/musl"]\n')).toEqual(new Map([['CVE-1 apk/musl', clockOfAll(7)]]));
  });

  it('are empty without clocks', () => {
    expect([sheetOf([]), clocksOfSheet('').size]).toEqual(['', 0]);
  });
});
