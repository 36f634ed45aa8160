import { expect, it } from 'vitest';
import { fixedClock } from '../platform/clock.ts';
import { askedSeldom } from './unchanged.ts';

it('asks anew when the answer is old, and one question for all who ask at once', async () => {
  const clock = fixedClock(0);
  let asked = 0;
  const state = askedSeldom(async () => `state ${(asked += 1)}`, clock, 1000);
  expect(await Promise.all([state(), state()])).toEqual(['state 1', 'state 1']);
  clock.advance(999);
  expect(await state()).toBe('state 1');
  clock.advance(1);
  expect(await state()).toBe('state 2');
  // A clock that was set back makes no answer last for ever.
  clock.set(0);
  expect(await state()).toBe('state 3');
});

it('asks each time where that takes no query', () => {
  let changes = 0;
  const state = askedSeldom(() => changes, fixedClock(0), 1000);
  expect(state()).toBe(0);
  changes = 7;
  expect(state()).toBe(7);
});

it('keeps no failure', async () => {
  let away = true;
  const state = askedSeldom(async () => (away ? Promise.reject(new Error('away')) : 'here'), fixedClock(0), 1000);
  await expect(state()).rejects.toThrow('away');
  away = false;
  expect(await state()).toBe('here');
});
