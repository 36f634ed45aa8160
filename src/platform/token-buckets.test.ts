import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedClock } from './clock.ts';
import { createTokenBuckets } from './token-buckets.ts';

describe('token buckets', () => {
  it('gives a minute’s worth at once, then evenly', () => {
    const clock = fixedClock(0);
    const buckets = createTokenBuckets({ clock, perMinute: 6 });
    const taken = () => Array.from({ length: 7 }, () => buckets.take('eva'));
    expect(taken()).toEqual([0, 0, 0, 0, 0, 0, 10_000]);
    expect(buckets.take('tom')).toBe(0);
    clock.advance(9999);
    expect(buckets.take('eva')).toBe(1);
    clock.advance(1);
    expect([buckets.take('eva'), buckets.take('eva')]).toEqual([0, 10_000]);
    clock.advance(60_000);
    expect(taken()).toEqual([0, 0, 0, 0, 0, 0, 10_000]);
  });

  it('never gives more than a bucket and what flowed in since, and never less to who comes evenly', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), steps, (perMinute, pauses) => {
        const clock = fixedClock(1000);
        const buckets = createTokenBuckets({ clock, perMinute });
        let [passed, given] = [0, 0];
        for (const pause of pauses) {
          clock.advance(pause);
          passed += pause;
          const wait = buckets.take('x');
          if (wait === 0) given += 1;
          else {
            // Coming back when told is enough.
            clock.advance(wait);
            passed += wait;
            expect(buckets.take('x')).toBe(0);
            given += 1;
          }
          expect(given).toBeLessThanOrEqual(perMinute + (passed * perMinute) / 60_000 + 1e-6);
        }
      }),
    );
  });

  it('remembers no more keys than it may, the idle ones not at all', () => {
    const clock = fixedClock(0);
    const buckets = createTokenBuckets({ clock, perMinute: 60, mostKeys: 100 });
    for (let at = 0; at < 100; at += 1) buckets.take(`early ${at}`);
    clock.advance(2000);
    buckets.take('late');
    expect(buckets.size).toBe(1);
    for (let at = 0; at < 500; at += 1) buckets.take(`many ${at}`);
    expect(buckets.size).toBeLessThanOrEqual(100);
  });

  it('makes nobody wait for more than a bucket after the clock was set back', () => {
    const clock = fixedClock(10_000_000);
    const buckets = createTokenBuckets({ clock, perMinute: 1 });
    buckets.take('x');
    clock.set(0);
    expect(buckets.take('x')).toBeLessThanOrEqual(60_000);
  });
});
