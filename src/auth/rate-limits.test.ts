import { expect, it } from 'vitest';
import { fixedClock } from '../platform/clock.ts';
import { createRateLimits, type Refused } from './rate-limits.ts';

const OFF = { limitPulls: 0, limitWrites: 0, limitApi: 0, limitAnonymous: 0 };

it('limits nothing unless told', () => {
  const limits = createRateLimits({ clock: fixedClock(0) }, OFF);
  for (let times = 0; times < 1000; times += 1) expect(limits.spend('pulls', '', '192.0.2.1')).toBeUndefined();
});

it('gives each account, and each network without one, budgets of its own', () => {
  const clock = fixedClock(0);
  const told: [Refused, string, string][] = [];
  const settings = { limitPulls: 3, limitWrites: 2, limitApi: 1, limitAnonymous: 2 };
  const limits = createRateLimits({ clock, onRefused: (...refusal) => void told.push(refusal) }, settings);
  const passed = (budget: 'pulls' | 'writes' | 'api', name: string, address = '192.0.2.1') => {
    for (let count = 0; ; count += 1) if (limits.spend(budget, name, address)) return count;
  };
  expect([passed('pulls', 'eva'), passed('writes', 'eva'), passed('api', 'eva')]).toEqual([3, 2, 1]);
  expect(passed('pulls', 'robot$front+ci')).toBe(3);
  // Never more than an account would get.
  expect([passed('pulls', ''), passed('api', '')]).toEqual([2, 1]);
  expect(passed('pulls', '', '192.0.2.2')).toBe(2);
  expect([passed('pulls', '', '2001:db8::1'), passed('pulls', '', '2001:db8::ffff:1')]).toEqual([2, 0]);
  expect(passed('pulls', '', '2001:db8:0:1::1')).toBe(2);
  expect(told[0]).toEqual([
    {
      budget: 'pulls',
      message: 'too many requests for manifests, lists and tokens of eva: at most 3 a minute; come back in 20 s',
      retryAfterSeconds: 20,
    },
    'eva',
    '',
  ]);
  expect(told.find(([, name]) => name === '')?.[0].message).toContain('without a login from 192.0.2.1');
  clock.advance(20_000);
  expect(passed('pulls', 'eva')).toBe(1);
});
