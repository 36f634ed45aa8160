import { expect, it } from 'vitest';
import { fixedClock } from './clock.ts';
import { createSeldom } from './seldom.ts';

it('lets through what it may in an hour and says how many it held back', () => {
  const clock = fixedClock(0);
  const seldom = createSeldom({ clock, perHour: 120 });
  expect([seldom.next(), seldom.next(), seldom.next(), seldom.next()]).toEqual([0, 0, undefined, undefined]);
  clock.advance(30_000);
  expect([seldom.next(), seldom.next()]).toEqual([2, undefined]);
});
