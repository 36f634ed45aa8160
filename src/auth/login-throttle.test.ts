import { describe, expect, it } from 'vitest';
import { fixedClock } from '../platform/clock.ts';
import { createLoginThrottle } from './login-throttle.ts';

describe('login throttle', () => {
  it('lets five go, then waits twice as long each time, up to a minute', () => {
    const clock = fixedClock(0);
    const throttle = createLoginThrottle({ clock });
    const begin = () => throttle.begin('eva', '10.0.0.1');
    expect(Array.from({ length: 5 }, begin)).toEqual([0, 0, 0, 0, 0]);
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const wait = begin();
      waits.push(wait);
      clock.advance(wait * 1000 - 1);
      expect(begin()).toBe(1);
      clock.advance(1);
      expect(begin()).toBe(0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('holds names and addresses apart, and forgets after success or a quarter of an hour', () => {
    const clock = fixedClock(0);
    const throttle = createLoginThrottle({ clock });
    const exhaust = (name: string, address: string) => {
      for (let tries = 0; tries < 5; tries += 1) throttle.begin(name, address);
    };
    exhaust('eva', 'a');
    expect([throttle.begin('eva', 'a'), throttle.begin('eva', 'b'), throttle.begin('tom', 'a')]).toEqual([1, 0, 0]);
    throttle.succeeded('eva', 'a');
    expect(throttle.begin('eva', 'a')).toBe(0);
    exhaust('eva', 'a');
    clock.advance(900_001);
    expect(throttle.begin('eva', 'a')).toBe(0);
  });
});
